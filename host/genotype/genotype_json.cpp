#include "host/genotype/genotype_json.hpp"

#include <algorithm>

#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

constexpr int kMostNodes = 1024;
constexpr std::size_t kMostGenes = 65536;

/// Where genes that are pairs lead.
int image_node(std::size_t gene) { return 2 + static_cast<int>(gene / 2); }
int recurrent_node(std::size_t gene) { return 1 + static_cast<int>(gene); }

class GenotypeReader {
 public:
  GenotypeReader(const std::string& file, ErrorCode code) : file_(file), code_(code) {}

  Genotype read(const JsonValue& root) const {
    if (!root.is(Kind::object)) refuse(root, "expected a genotype's object, found " + root.describe());
    if (root.find("genes") != nullptr) return by_position(root);
    if (root.find("recurrent") != nullptr) return {{cell("recurrent", root, "concat", recurrent_node)}};
    if (root.find("normal") != nullptr || root.find("reduce") != nullptr) {
      Genotype genotype;
      for (const std::string name : {"normal", "reduce"})
        genotype.cells.push_back(cell(name, root, name + "_concat", image_node));
      return genotype;
    }
    std::vector<std::string> found;
    for (const JsonMember& member : root.members) found.push_back(member.key);
    refuse(root,
           "no genotype: expected the keys normal, normal_concat, reduce, reduce_concat, or recurrent, concat, or "
           "genes, concat, reductions, seq; found " +
               (found.empty() ? "none" : joined(found)));
  }

 private:
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
  /// [operation, from] with the node `to` given by the place, or [operation, to, from] without one.
  Gene gene(const JsonValue& value, const std::string& what, int to, int first_node) const {
    const std::size_t size = to > 0 ? 2 : 3;
    if (!value.is(Kind::list) || value.items.size() != size)
      refuse(value, what +
                        (to > 0 ? ": expected [operation, from], found " : ": expected [operation, to, from], found ") +
                        value.describe());
    const JsonValue& operation = value.items.front();
    if (!operation.is(Kind::text) || operation.text.empty())
      refuse(operation, what + ": expected an operation's name, found " + operation.describe());
    const std::string source = what + ", the node it comes from";
    if (to > 0) return {operation.text, integer(value.items[1], source, 0, to - 1), to};
    to = integer(value.items[1], what + ", the node it leads to", first_node, kMostNodes);
    const int from = integer(value.items[2], source, 0, kMostNodes);  // nodes run in any order that the list gives
    if (from == to)
      refuse(value, what + ": " + operation.text + " goes from node " + std::to_string(to) + " to itself");
    return {operation.text, from, to};
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
  /// Genes all as pairs, whose place tells the node, or all as triples. There may be none: some derivation rules leave
  /// a cell so, and whoever builds its network says that it cannot.
  std::vector<Gene> genes(const JsonValue& value, const std::string& what, int (*node)(std::size_t)) const {
    std::vector<Gene> read;
    const auto& items = list(value, what).items;
    const bool pairs = !items.empty() && (!items.front().is(Kind::list) || items.front().items.size() != 3);
    for (const JsonValue& item : items)
      read.push_back(gene(item, what + ", gene " + std::to_string(read.size()),
                          pairs ? std::min(node(read.size()), kMostNodes) : 0, node(0)));
    if (pairs && node == image_node && read.size() % 2 != 0)
      refuse(value, what + ": expected two genes a node, found " + std::to_string(read.size()) + " genes");
    return read;
  }
  CellGenotype cell(const std::string& name, const JsonValue& root, const std::string& ends,
                    int (*node)(std::size_t)) const {
    CellGenotype cell{name, genes(member(root, name), name, node), {}};
    int last = 0;
    for (std::size_t i = 0; i < cell.genes.size(); ++i)
      last = cell.genes[i].to == node(i) ? std::max(last, cell.genes[i].to) : kMostNodes;
    cell.concat = concat(member(root, ends), cell.genes.empty() ? kMostNodes : last, ends);
    return cell;
  }
  Genotype by_position(const JsonValue& root) const {
    Genotype genotype;
    for (const JsonValue& value : list(member(root, "genes"), "genes").items) {
      const std::string name = std::to_string(genotype.cells.size());
      genotype.cells.push_back({name, genes(value, "genes of cell " + name, image_node), {}});
    }
    if (genotype.cells.empty()) refuse(member(root, "genes"), "genes: no cells");
    const std::vector<int> ends = concat(member(root, "concat"), kMostNodes, "concat");
    for (CellGenotype& cell : genotype.cells) cell.concat = ends;
    genotype.reductions = positions(root, "reductions", kMostNodes);
    genotype.sequence = positions(root, "seq", static_cast<int>(genotype.cells.size()) - 1);
    if (genotype.sequence && genotype.sequence->empty()) genotype.sequence.reset();
    return genotype;
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

void write_by_position(JsonWriter& writer, const Genotype& genotype) {
  writer.key("genes").begin_list();
  for (const CellGenotype& cell : genotype.cells) {
    write_genes(writer, cell, true);
  }
  writer.end().key("concat").raw(compact_list(genotype.cells.front().concat));
  writer.key("reductions").raw(genotype.reductions ? compact_list(*genotype.reductions) : "null");
  if (genotype.sequence) writer.key("seq").raw(compact_list(*genotype.sequence));
}

}  // namespace

bool names_nodes(const CellGenotype& cell) {
  const bool recurrent = cell.name == "recurrent";
  if (!recurrent && cell.genes.size() % 2 != 0) return true;
  for (std::size_t i = 0; i < cell.genes.size(); ++i)
    if (cell.genes[i].to != (recurrent ? recurrent_node(i) : image_node(i))) return true;
  return false;
}

std::string genotype_to_json(const Genotype& genotype) {
  check_writable(genotype);
  JsonWriter writer;
  writer.begin_object();
  if (genotype.by_position()) {
    write_by_position(writer, genotype);
    return writer.end().text();
  }
  for (const CellGenotype& cell : genotype.cells) {
    writer.key(cell.name);
    write_genes(writer, cell, names_nodes(cell));
    writer.key(cell.name == "recurrent" ? "concat" : cell.name + "_concat").raw(compact_list(cell.concat));
  }
  return writer.end().text();
}

void check_writable(const Genotype& genotype) {
  if (genotype.by_position()) {
    for (const CellGenotype& cell : genotype.cells)
      if (cell.concat != genotype.cells.front().concat) cannot_hold("its cells differ in their concat");
  } else if (genotype.cells.size() != 1 || genotype.cells.front().name != "recurrent") {
    if (genotype.find("normal") == nullptr || genotype.find("reduce") == nullptr || genotype.cells.size() != 2)
      cannot_hold("expected the cells normal and reduce, or recurrent, or one cell for each position");
  }
}

Genotype genotype_of_keys(const JsonValue& root, const std::string& file, ErrorCode code) {
  return GenotypeReader(file, code).read(root);
}

Genotype genotype_from_json(std::string_view text, const std::string& file, ErrorCode code) {
  return genotype_of_keys(parse_json(text, file, code), file, code);
}

}  // namespace mixop
