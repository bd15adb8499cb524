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

/// Where the genes of the two shorter forms lead.
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
           "genes, concat, reductions; found " +
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
  /// [operation, from] with the node given by the place, or [operation, to, from].
  Gene gene(const JsonValue& value, const std::string& what, int to) const {
    const std::size_t size = to > 0 ? 2 : 3;
    if (!value.is(Kind::list) || value.items.size() != size)
      refuse(value, what +
                        (to > 0 ? ": expected [operation, from], found " : ": expected [operation, to, from], found ") +
                        value.describe());
    const JsonValue& operation = value.items.front();
    if (!operation.is(Kind::text) || operation.text.empty())
      refuse(operation, what + ": expected an operation's name, found " + operation.describe());
    if (to <= 0) to = integer(value.items[1], what + ", the node it leads to", 2, kMostNodes);
    return {operation.text, integer(value.items.back(), what + ", the node it comes from", 0, to - 1), to};
  }
  std::vector<int> concat(const JsonValue& value, const std::vector<Gene>& genes, const std::string& what) const {
    std::vector<int> nodes;
    int last = 0;
    for (const Gene& gene : genes) last = std::max(last, gene.to);
    for (const JsonValue& item : list(value, what).items) {
      nodes.push_back(integer(item, what, 0, last));
      if (std::count(nodes.begin(), nodes.end(), nodes.back()) > 1)
        refuse(item, what + ": node " + item.text + " is listed twice");
    }
    if (nodes.empty()) refuse(value, what + ": expected at least one node, found an empty list");
    return nodes;
  }
  CellGenotype cell(const std::string& name, const JsonValue& root, const std::string& ends,
                    int (*node)(std::size_t)) const {
    CellGenotype cell{name, {}, {}};
    const JsonValue& genes = member(root, name);
    for (const JsonValue& item : list(genes, name).items) {
      const std::size_t index = cell.genes.size();
      cell.genes.push_back(gene(item, name + ", gene " + std::to_string(index), std::min(node(index), kMostNodes)));
    }
    check_count(genes, cell, node == image_node);
    cell.concat = concat(member(root, ends), cell.genes, ends);
    return cell;
  }
  void check_count(const JsonValue& at, const CellGenotype& cell, bool pairs) const {
    if (cell.genes.empty()) refuse(at, cell.name + ": no genes");
    if (pairs && cell.genes.size() % 2 != 0)
      refuse(at, cell.name + ": expected two genes a node, found " + std::to_string(cell.genes.size()) + " genes");
  }
  CellGenotype position(const JsonValue& genes, std::size_t index) const {
    CellGenotype cell{std::to_string(index), {}, {}};
    const std::string what = "genes of cell " + cell.name;
    const auto& items = list(genes, what).items;
    const bool pairs = !items.empty() && items.front().is(Kind::list) && items.front().items.size() == 2;
    for (const JsonValue& item : items)
      cell.genes.push_back(gene(item, what, pairs ? std::min(image_node(cell.genes.size()), kMostNodes) : 0));
    check_count(genes, {what, cell.genes, {}}, pairs);
    return cell;
  }
  Genotype by_position(const JsonValue& root) const {
    Genotype genotype;
    std::vector<Gene> all;
    for (const JsonValue& genes : list(member(root, "genes"), "genes").items) {
      genotype.cells.push_back(position(genes, genotype.cells.size()));
      all.insert(all.end(), genotype.cells.back().genes.begin(), genotype.cells.back().genes.end());
    }
    if (genotype.cells.empty()) refuse(member(root, "genes"), "genes: no cells");
    const std::vector<int> ends = concat(member(root, "concat"), all, "concat");
    for (CellGenotype& cell : genotype.cells) {
      check_end(root, cell, ends);
      cell.concat = ends;
    }
    genotype.reductions = reductions(root);
    return genotype;
  }
  /// Nodes that a cell lacks are skipped, but one must be left.
  void check_end(const JsonValue& root, const CellGenotype& cell, const std::vector<int>& ends) const {
    const bool present = std::any_of(cell.genes.begin(), cell.genes.end(), [&](const Gene& gene) {
      return std::count(ends.begin(), ends.end(), gene.to) > 0;
    });
    if (!present) refuse(*root.find("concat"), "concat: cell " + cell.name + " has none of these nodes");
  }
  std::optional<std::vector<int>> reductions(const JsonValue& root) const {
    const JsonValue* value = root.find("reductions");
    if (value == nullptr || value->is(Kind::null)) return std::nullopt;
    std::vector<int> positions;
    for (const JsonValue& item : list(*value, "reductions").items)
      positions.push_back(integer(item, "reductions", 0, kMostNodes));
    return positions;
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
  throw Error(ErrorCode::unsupported, "the genotype cannot be written as JSON: " + what);
}

void check_nodes(const CellGenotype& cell, int (*node)(std::size_t)) {
  for (std::size_t i = 0; i < cell.genes.size(); ++i)
    if (cell.genes[i].to != node(i))
      cannot_hold("gene " + std::to_string(i) + " of cell '" + cell.name + "' leads to node " +
                  std::to_string(cell.genes[i].to) + " where the form has node " + std::to_string(node(i)));
}

void write_by_position(JsonWriter& writer, const Genotype& genotype) {
  writer.key("genes").begin_list();
  for (const CellGenotype& cell : genotype.cells) {
    if (cell.concat != genotype.cells.front().concat) cannot_hold("its cells differ in their concat");
    write_genes(writer, cell, true);
  }
  writer.end().key("concat").raw(compact_list(genotype.cells.front().concat));
  writer.key("reductions").raw(genotype.reductions ? compact_list(*genotype.reductions) : "null");
}

}  // namespace

std::string genotype_to_json(const Genotype& genotype) {
  JsonWriter writer;
  writer.begin_object();
  if (genotype.by_position()) {
    write_by_position(writer, genotype);
  } else if (const CellGenotype* cell = genotype.find("recurrent"); cell != nullptr && genotype.cells.size() == 1) {
    check_nodes(*cell, recurrent_node);
    writer.key("recurrent");
    write_genes(writer, *cell, false);
    writer.key("concat").raw(compact_list(cell->concat));
  } else {
    if (genotype.find("normal") == nullptr || genotype.find("reduce") == nullptr || genotype.cells.size() != 2)
      cannot_hold("expected the cells normal and reduce, or recurrent, or one cell for each position");
    for (const CellGenotype& image : genotype.cells) {
      check_nodes(image, image_node);
      writer.key(image.name);
      write_genes(writer, image, false);
      writer.key(image.name + "_concat").raw(compact_list(image.concat));
    }
  }
  return writer.end().text();
}

Genotype genotype_from_json(std::string_view text, const std::string& file, ErrorCode code) {
  return GenotypeReader(file, code).read(parse_json(text, file, code));
}

}  // namespace mixop
