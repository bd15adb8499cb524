#include "host/genotype/genotype_python.hpp"

#include <algorithm>
#include <vector>

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/python_literals.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

/// The fields of the named tuples, in their order; none for another name. AutoDL-Projects' tuple has two more.
std::vector<std::string> fields_of(const std::string& tuple, std::size_t by_place) {
  if (tuple == "Genotype_nested") return {"genes", "concat", "reductions"};
  if (tuple == "Genotype_opt") return {"genes", "seq", "concat", "reductions"};
  if (by_place > 0 && by_place <= 2) return {"recurrent", "concat"};
  std::vector<std::string> fields{"normal", "normal_concat", "reduce", "reduce_concat"};
  if (by_place == 6) fields.insert(fields.end(), {"connectN", "connects"});
  return fields;
}

/// The object whose keys are the fields of the call that `reader` stands at.
JsonValue object_of_call(PythonLiterals& reader) {
  JsonValue root = reader.placed(Kind::object);
  const std::string tuple = reader.word("a genotype");
  reader.expect('(');
  root.members = reader.arguments();
  const auto by_place = static_cast<std::size_t>(std::count_if(
      root.members.begin(), root.members.end(), [](const JsonMember& member) { return member.key.empty(); }));
  const std::vector<std::string> fields = fields_of(tuple, by_place);
  if (by_place > fields.size())
    reader.refuse(root.members[by_place - 1].value,
                  tuple + " has " + std::to_string(fields.size()) + " fields, " + joined(fields));
  for (std::size_t i = 0; i < by_place; ++i) {
    if (root.find(fields[i]) != nullptr) reader.refuse(root.members[i].value, fields[i] + " is given twice");
    root.members[i].key = fields[i];
  }
  return root;
}

std::string list_text(const std::vector<int>& values) {
  std::vector<std::string> items;
  for (const int value : values) items.push_back(std::to_string(value));
  return "[" + joined(items) + "]";
}

/// As published code writes nodes: a range where they follow each other.
std::string nodes_text(const std::vector<int>& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i] != nodes.front() + static_cast<int>(i)) return list_text(nodes);
  if (nodes.empty()) return "[]";
  return "range(" + std::to_string(nodes.front()) + ", " + std::to_string(nodes.back() + 1) + ")";
}

/// A text of Python. check_writable has refused names that hold more than plain characters.
std::string quoted(const std::string& name) { return "'" + name + "'"; }

std::string genes_text(const CellGenotype& cell, bool with_to) {
  std::vector<std::string> genes;
  for (const Gene& gene : cell.genes)
    genes.push_back("(" + quoted(gene.operation) + ", " + (with_to ? std::to_string(gene.to) + ", " : "") +
                    std::to_string(gene.from) + ")");
  return "[" + joined(genes) + "]";
}

bool is_identifier(const std::string& name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// Throws unsupported where no call in Python can hold the genotype.
void check_python(const Genotype& genotype) {
  check_writable(genotype);
  const auto cannot_hold = [](const std::string& what) {
    throw Error(ErrorCode::unsupported, "the genotype cannot be written as Python: " + what + "; take JSON");
  };
  if (genotype.by_position() && !are_alike(genotype)) cannot_hold("its cells differ in their concat or inputs");
  for (const CellGenotype& cell : genotype.cells)
    if (!genotype.by_position() && !is_identifier(cell.name)) cannot_hold("'" + cell.name + "' is no name in Python");
}

}  // namespace

std::string genotype_to_python(const Genotype& genotype) {
  check_python(genotype);
  std::vector<std::string> fields;
  if (!genotype.by_position()) {
    for (const CellGenotype& cell : genotype.cells) {
      fields.push_back(cell.name + "=" + genes_text(cell, names_nodes(cell)));
      fields.push_back(concat_key(genotype, cell) + "=" + nodes_text(cell.concat));
      if (cell.inputs != (cell.name == "recurrent" ? 1 : 2))
        fields.push_back(cell.name + "_inputs=" + std::to_string(cell.inputs));
    }
    // The published tuple has fields for both cells.
    const std::string alone = genotype.cells.size() == 1 ? genotype.cells.front().name : "";
    if (alone == "reduce") fields.insert(fields.begin(), {"normal=None", "normal_concat=None"});
    if (alone == "normal") fields.insert(fields.end(), {"reduce=None", "reduce_concat=None"});
    return "Genotype(" + joined(fields) + ")";
  }
  std::vector<std::string> cells;
  for (const CellGenotype& cell : genotype.cells) cells.push_back(genes_text(cell, true));
  fields.push_back("genes=[" + joined(cells) + "]");
  if (genotype.sequence) fields.push_back("seq=" + list_text(*genotype.sequence));
  fields.push_back("concat=" + nodes_text(genotype.cells.front().concat));
  if (const int inputs = genotype.cells.front().inputs; inputs != 2)
    fields.push_back("inputs=" + std::to_string(inputs));
  fields.push_back("reductions=" + (genotype.reductions ? list_text(*genotype.reductions) : "None"));
  return (genotype.sequence ? "Genotype_opt(" : "Genotype_nested(") + joined(fields) + ")";
}

Genotype genotype_of_call(std::string_view text, std::size_t at, const std::string& file, ErrorCode code,
                          std::vector<std::string>* notes) {
  PythonLiterals reader(text, at, file, code);
  const JsonValue root = object_of_call(reader);
  if (const std::string_view rest = reader.rest_of_line();
      !rest.empty() && std::string_view(",;'\")]}").find(rest.front()) == std::string_view::npos)
    reader.refuse(reader.placed(Kind::null), "expected nothing behind the genotype, found '" + excerpt(rest) + "'");
  return genotype_of_keys(root, file, code, notes);
}

Genotype genotype_of_dict(std::string_view text, const std::string& file, ErrorCode code,
                          std::vector<std::string>* notes) {
  PythonLiterals reader(text, 0, file, code);
  const JsonValue root = reader.value();
  if (!reader.rest_of_line().empty()) reader.refuse(reader.placed(Kind::null), "expected nothing behind the genotype");
  return genotype_of_keys(root, file, code, notes);
}

}  // namespace mixop
