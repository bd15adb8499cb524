#include "host/genotype/genotype_json.hpp"

#include <algorithm>
#include <set>

#include "host/genotype/operation_name.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

constexpr int kMostNodes = 1024;
constexpr std::size_t kMostGenes = 65536;

constexpr int kMostInputs = 64;
constexpr const char *kRecurrent = "recurrent", *kConcat = "_concat", *kInputs = "_inputs";

/// What the form implies of a cell's inputs.
int implied_inputs(const std::string& cell) { return cell == kRecurrent ? 1 : 2; }

/// How a cell's genes that are pairs lead to nodes.
struct PairForm {
  int inputs;
  int genes_a_node;

  PairForm(const std::string& cell, int cell_inputs) : inputs(cell_inputs), genes_a_node(cell == kRecurrent ? 1 : 2) {}
  int node(std::size_t gene) const { return inputs + static_cast<int>(gene) / genes_a_node; }
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The items of a gene without the edge weight that some codes print behind its source.
std::size_t arity(const JsonValue& gene) {
  const bool weighted = gene.items.size() > 2 && gene.items.back().is(Kind::real);
  return gene.items.size() - (weighted ? 1 : 0);
}

/// Whether genes stand in a list for each node, as khanrc/pt.darts, CDARTS and AutoDL-Projects print them.
bool is_by_node(const JsonValue& genes) {
  return std::any_of(genes.items.begin(), genes.items.end(), [](const JsonValue& item) {
    return item.is(Kind::list) && !item.items.empty() && item.items.front().is(Kind::list);
  });
}

class GenotypeReader {
 public:
  GenotypeReader(const std::string& file, ErrorCode code) : file_(file), code_(code) {}

  bool saw_weights() const { return saw_weights_; }

  Genotype read(const JsonValue& root) {
    if (!root.is(Kind::object)) refuse(root, "expected a genotype's object, found " + root.describe());
    if (root.find("genes") != nullptr && root.find("genes_concat") == nullptr) return by_position(root);
    Genotype genotype;
    for (const std::string& name : cell_names(root)) genotype.cells.push_back(cell(name, root));
    if (genotype.by_position()) read_positions(root, genotype);
    if (!genotype.cells.empty()) return genotype;
    std::vector<std::string> found;
    for (const JsonMember& member : root.members) found.push_back(member.key);
    refuse(root,
           "no genotype: expected the keys normal, normal_concat, reduce, reduce_concat, or recurrent, concat, or "
           "genes, concat, reductions, seq, or NAME, NAME_concat for every cell; found " +
               (found.empty() ? "none" : excerpt(joined(found))));
  }

 private:
  /// In the order of the keys; normal comes before reduce.
  std::vector<std::string> cell_names(const JsonValue& root) const {
    std::vector<std::string> names;
    for (const JsonMember& member : root.members) {
      const std::string& key = member.key;
      if (is_left_out(root, key)) continue;
      if (key == "normal" || key == "reduce" || key == kRecurrent || root.find(key + kConcat) != nullptr)
        names.push_back(key);
      else if (ends_with(key, kConcat) && !member.value.is(Kind::null))
        (void)this->member(root, key.substr(0, key.size() - std::string(kConcat).size()));
    }
    const auto normal = std::find(names.begin(), names.end(), "normal");
    const auto reduce = std::find(names.begin(), names.end(), "reduce");
    if (reduce < normal && normal != names.end()) std::iter_swap(normal, reduce);
    return names;
  }
  /// Of one cell alone, the other's keys are None or empty.
  static bool is_left_out(const JsonValue& root, const std::string& key) {
    const JsonValue *const cell = root.find(key), *const ends = root.find(key + kConcat);
    if (cell->is(Kind::null)) return true;
    return cell->is(Kind::list) && cell->items.empty() && ends != nullptr && ends->is(Kind::list) &&
           ends->items.empty();
  }
  [[noreturn]] void refuse(const JsonValue& at, const std::string& what) const {
    throw Error(code_, json_place(file_, at) + ": " + what);
  }
  const JsonValue& member(const JsonValue& root, const std::string& key) const {
    const JsonValue* found = root.find(key);
    if (found == nullptr) refuse(root, "the genotype's key '" + key + "' is missing");
    return *found;
  }
  const JsonValue& list(const JsonValue& value, const std::string& what) const {
    if (!value.is(Kind::list)) refuse(value, what + ": expected a list, found " + value.describe());
    if (value.items.size() > kMostGenes)
      refuse(value, what + ": " + std::to_string(value.items.size()) + " items; at most " + std::to_string(kMostGenes));
    return value;
  }
  int integer(const JsonValue& value, const std::string& what, int least, int most) const {
    if (!value.is(Kind::integer) || value.integer < least || value.integer > most)
      refuse(value, what + ": expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                        ", found " + value.describe());
    return static_cast<int>(value.integer);
  }
  std::string operation(const JsonValue& value, const std::string& what) const {
    if (!value.is(Kind::text) || value.text.empty())
      refuse(value, what + ": expected an operation's name, found " + value.describe());
    if (!is_operation_name(value.text))
      refuse(value, what + ": expected " + kOperationName + ", found " + value.describe());
    return value.text;
  }
  /// [operation, from] with the node `to` given by the place, or [operation, to, from] without one.
  Gene gene(const JsonValue& value, const std::string& what, int to, int first_node) {
    const std::size_t size = to > 0 ? 2 : 3;
    if (!value.is(Kind::list) || arity(value) != size)
      refuse(value, what +
                        (to > 0 ? ": expected [operation, from], found " : ": expected [operation, to, from], found ") +
                        value.describe());
    saw_weights_ = saw_weights_ || value.items.size() > size;
    const std::string name = operation(value.items.front(), what), source = what + ", the node it comes from";
    if (to > 0) return {name, integer(value.items[1], source, 0, to - 1), to};
    to = integer(value.items[1], what + ", the node it leads to", first_node, kMostNodes);
    const int from = integer(value.items[2], source, 0, kMostNodes);  // nodes run in any order that the list gives
    if (from == to) refuse(value, what + ": " + name + " goes from node " + std::to_string(to) + " to itself");
    return {name, from, to};
  }
  std::vector<int> concat(const JsonValue& value, int last, const std::string& what) const {
    std::vector<int> nodes;
    for (const JsonValue& item : list(value, what).items) {
      nodes.push_back(integer(item, what, 0, last));
      if (std::count(nodes.begin(), nodes.end(), nodes.back()) > 1)
        refuse(item, what + ": node " + item.text + " is listed twice");
    }
    if (nodes.empty()) refuse(value, what + ": expected at least one node, found an empty list");
    return nodes;
  }
  /// Genes in a list for each node, all as pairs, whose place tells the node, or all as triples. There may be none:
  /// some derivation rules leave a cell so, and whoever builds its network says that it cannot.
  std::vector<Gene> genes(const JsonValue& value, const std::string& what, const PairForm& form) {
    if (is_by_node(list(value, what))) return genes_by_node(value, what, form);
    std::vector<Gene> read;
    const auto& items = value.items;
    const bool pairs = !items.empty() && (!items.front().is(Kind::list) || arity(items.front()) != 3);
    for (const JsonValue& item : items)
      read.push_back(
          gene(item, gene_name(what, read), pairs ? std::min(form.node(read.size()), kMostNodes) : 0, form.inputs));
    if (pairs && read.size() % static_cast<std::size_t>(form.genes_a_node) != 0)
      refuse(value, what + ": expected two genes a node, found " + std::to_string(read.size()) + " genes");
    return read;
  }
  std::vector<Gene> genes_by_node(const JsonValue& value, const std::string& what, const PairForm& form) {
    std::vector<Gene> read;
    int node = form.inputs;
    for (const JsonValue& listed : value.items) {
      if (node > kMostNodes) refuse(listed, what + ": more than " + std::to_string(kMostNodes) + " nodes");
      for (const JsonValue& item : list(listed, what + ", node " + std::to_string(node)).items)
        read.push_back(gene(item, gene_name(what, read), node, form.inputs));
      ++node;
    }
    return read;
  }
  static std::string gene_name(const std::string& what, const std::vector<Gene>& before) {
    return what + ", gene " + std::to_string(before.size());
  }
  int inputs_of(const JsonValue& root, const std::string& key, int implied) const {
    const JsonValue* value = root.find(key);
    return value == nullptr ? implied : integer(*value, key, 1, kMostInputs);
  }
  CellGenotype cell(const std::string& name, const JsonValue& root) {
    if (!is_plain_name(name))
      refuse(root, "expected a cell's name of letters, digits, '.', '_' and '-', found '" + excerpt(name) + "'");
    const PairForm form(name, inputs_of(root, name + kInputs, implied_inputs(name)));
    const bool published = name == kRecurrent && root.find(name + kConcat) == nullptr;
    const std::string ends = published ? "concat" : name + kConcat;
    CellGenotype cell{name, genes(member(root, name), name, form), {}, form.inputs};
    const JsonValue& listed = member(root, name);
    const bool triples = !listed.items.empty() && !is_by_node(listed) && arity(listed.items.front()) == 3;
    int last = 0;
    for (std::size_t i = 0; i < cell.genes.size(); ++i)
      last = cell.genes[i].to == form.node(i) ? std::max(last, cell.genes[i].to) : kMostNodes;
    cell.concat = concat(member(root, ends), cell.genes.empty() || triples ? kMostNodes : last, ends);
    return cell;
  }
  Genotype by_position(const JsonValue& root) {
    Genotype genotype;
    const PairForm form("", inputs_of(root, "inputs", implied_inputs("")));
    for (const JsonValue& value : list(member(root, "genes"), "genes").items) {
      const std::string name = std::to_string(genotype.cells.size());
      genotype.cells.push_back({name, genes(value, "genes of cell " + name, form), {}, form.inputs});
    }
    if (genotype.cells.empty()) refuse(member(root, "genes"), "genes: no cells");
    const std::vector<int> ends = concat(member(root, "concat"), kMostNodes, "concat");
    for (CellGenotype& cell : genotype.cells) cell.concat = ends;
    read_positions(root, genotype);
    return genotype;
  }
  void read_positions(const JsonValue& root, Genotype& genotype) const {
    genotype.reductions = positions(root, "reductions", kMostNodes);
    genotype.sequence = positions(root, "seq", static_cast<int>(genotype.cells.size()) - 1);
    if (genotype.sequence && genotype.sequence->empty()) genotype.sequence.reset();
  }
  /// The whole numbers of an optional key.
  std::optional<std::vector<int>> positions(const JsonValue& root, const std::string& key, int most) const {
    const JsonValue* value = root.find(key);
    if (value == nullptr || value->is(Kind::null)) return std::nullopt;
    std::vector<int> numbers;
    for (const JsonValue& item : list(*value, key).items) numbers.push_back(integer(item, key, 0, most));
    return numbers;
  }

  const std::string& file_;
  ErrorCode code_;
  bool saw_weights_ = false;
};

std::string compact_list(const std::vector<int>& values) {
  std::vector<std::string> items;
  for (const int value : values) items.push_back(std::to_string(value));
  return "[" + joined(items) + "]";
}

std::string gene_text(const Gene& gene, bool with_to) {
  JsonWriter writer(JsonWriter::Style::compact);
  writer.begin_list().value(gene.operation);
  if (with_to) writer.value(gene.to);
  return writer.value(gene.from).end().text();
}

void write_genes(JsonWriter& writer, const CellGenotype& cell, bool with_to) {
  writer.begin_list();
  for (const Gene& gene : cell.genes) writer.raw(gene_text(gene, with_to));
  writer.end();
}

[[noreturn]] void cannot_hold(const std::string& what) {
  throw Error(ErrorCode::unsupported, "the genotype cannot be written: " + what);
}

void check_name(const char* what, const std::string& name, bool (*fits)(std::string_view)) {
  if (!fits(name))
    cannot_hold(std::string(what) + " has letters, digits, '.', '_' and '-', and '" + excerpt(name) + "' has others");
}

void write_by_position(JsonWriter& writer, const Genotype& genotype) {
  writer.key("genes").begin_list();
  for (const CellGenotype& cell : genotype.cells) write_genes(writer, cell, true);
  writer.end().key("concat").raw(compact_list(genotype.cells.front().concat));
  if (const int inputs = genotype.cells.front().inputs; inputs != implied_inputs("")) writer.member("inputs", inputs);
}

void write_positions(JsonWriter& writer, const Genotype& genotype) {
  writer.key("reductions").raw(genotype.reductions ? compact_list(*genotype.reductions) : "null");
  if (genotype.sequence) writer.key("seq").raw(compact_list(*genotype.sequence));
}

void write_by_name(JsonWriter& writer, const Genotype& genotype) {
  for (const CellGenotype& cell : genotype.cells) {
    writer.key(cell.name);
    write_genes(writer, cell, names_nodes(cell));
    writer.key(concat_key(genotype, cell)).raw(compact_list(cell.concat));
    if (cell.inputs != implied_inputs(cell.name)) writer.member(cell.name + kInputs, cell.inputs);
  }
}

}  // namespace

bool names_nodes(const CellGenotype& cell) {
  const PairForm form(cell.name, cell.inputs);
  if (cell.genes.size() % static_cast<std::size_t>(form.genes_a_node) != 0) return true;
  int last = 0;
  for (std::size_t i = 0; i < cell.genes.size(); ++i) {
    if (cell.genes[i].to != form.node(i)) return true;
    last = std::max(last, cell.genes[i].to);
  }
  // Pairs say that the cell ends with the last of their nodes.
  return last > 0 && std::any_of(cell.concat.begin(), cell.concat.end(), [&](int node) { return node > last; });
}

bool are_alike(const Genotype& genotype) {
  return std::all_of(genotype.cells.begin(), genotype.cells.end(), [&](const CellGenotype& cell) {
    return cell.concat == genotype.cells.front().concat && cell.inputs == genotype.cells.front().inputs;
  });
}

std::string concat_key(const Genotype& genotype, const CellGenotype& cell) {
  return cell.name == kRecurrent && genotype.cells.size() == 1 ? "concat" : cell.name + kConcat;
}

std::string genotype_to_json(const Genotype& genotype) {
  check_writable(genotype);
  JsonWriter writer;
  writer.begin_object();
  genotype.by_position() && are_alike(genotype) ? write_by_position(writer, genotype) : write_by_name(writer, genotype);
  if (genotype.by_position()) write_positions(writer, genotype);
  return writer.end().text();
}

void check_writable(const Genotype& genotype) {
  if (genotype.cells.empty()) cannot_hold("it has no cells");
  std::set<std::string> keys;
  if (genotype.by_position()) keys = {"reductions", "seq"};
  for (const CellGenotype& cell : genotype.cells) {
    if (cell.name.empty()) cannot_hold("a cell has no name");
    check_name("a cell's name", cell.name, is_plain_name);
    for (const Gene& gene : cell.genes) check_name("an operation's name", gene.operation, is_operation_name);
    if (cell.concat.empty()) cannot_hold("the cell '" + cell.name + "' has no output");
    for (const std::string& key : {cell.name, concat_key(genotype, cell), cell.name + kInputs})
      if (!keys.insert(key).second)
        cannot_hold("the name '" + key + "' stands for two things; its space must call a cell otherwise");
  }
}

void require_readable(const Genotype& genotype) {
  const std::string text = genotype_to_json(genotype);
  try {
    if (genotype_from_json(text, "its JSON", ErrorCode::unsupported) == genotype) return;
  } catch (const Error& error) {
    cannot_hold(error.what());
  }
  cannot_hold("its JSON means another one: " + text);
}

Genotype genotype_of_keys(const JsonValue& root, const std::string& file, ErrorCode code,
                          std::vector<std::string>* notes) {
  GenotypeReader reader(file, code);
  Genotype genotype = reader.read(root);
  if (reader.saw_weights() && notes != nullptr)
    notes->push_back(file + ": the edge weights beside the operations are ignored");
  return genotype;
}

bool has_genotype_keys(const JsonValue& root) {
  return std::any_of(root.members.begin(), root.members.end(), [](const JsonMember& member) {
    return member.key == "normal" || member.key == "reduce" || member.key == "genes" || member.key == kRecurrent ||
           ends_with(member.key, kConcat);
  });
}

Genotype genotype_from_json(std::string_view text, const std::string& file, ErrorCode code) {
  return genotype_of_keys(parse_json(text, file, code), file, code);
}

}  // namespace mixop
