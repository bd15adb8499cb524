#include "host/graph/check.hpp"

#include <set>

#include "mixop/error.hpp"

namespace mixop {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw Error(ErrorCode::plugin, "the space describes " + what);
}

std::string number(std::int64_t value) { return std::to_string(value); }

/// "block 3 (cells.2)"
std::string block_name(std::size_t index, const Cell& cell) {
  return "block " + number(static_cast<std::int64_t>(index)) + (cell.name.empty() ? "" : " (" + cell.name + ")");
}

/// Checks one block.
class BlockCheck {
 public:
  BlockCheck(const NetworkGraph& graph, std::size_t index)
      : graph_(graph),
        index_(index),
        block_(graph.blocks[index]),
        cell_(block_.cell),
        where_(block_name(index, cell_)) {}

  void run() const {
    check_reads();
    require(!cell_.edges.empty(), where_ + " without edges");
    const std::set<int> fed = fed_nodes();
    std::set<std::string> names;
    for (const Edge& edge : cell_.edges) {
      check_name(edge, names);
      check_edge(edge, fed);
      if (const auto* choice = std::get_if<Choice>(&edge.does)) check_choice(edge, *choice);
      if (const auto* structure = std::get_if<Structure>(&edge.does))
        require(!structure->empty(), edge_name(edge) + " with a structure of no stages");
    }
    check_output(fed);
  }

 private:
  std::string edge_name(const Edge& edge) const {
    return where_ + " with the edge " + (edge.name.empty() ? "" : "'" + edge.name + "' ") + "from node " +
           number(edge.from) + " to node " + number(edge.to);
  }

  void check_reads() const {
    const auto inputs = static_cast<std::size_t>(cell_.inputs < 0 ? 0 : cell_.inputs);
    require(cell_.inputs >= 1, where_ + " with " + number(cell_.inputs) + " inputs, expected at least 1");
    require(block_.reads.size() == inputs, where_ + " with " + number(cell_.inputs) + " inputs, which reads " +
                                               number(static_cast<std::int64_t>(block_.reads.size())) + " blocks");
    for (const int read : block_.reads)
      require(read >= -1 && read < static_cast<int>(index_),
              where_ + " which reads block " + number(read) + "; expected an earlier block, or -1 for the input");
  }

  std::set<int> fed_nodes() const {
    std::set<int> fed;
    for (int node = 0; node < cell_.inputs; ++node) fed.insert(node);
    for (const Edge& edge : cell_.edges)
      if (edge.runs) fed.insert(edge.to);
    return fed;
  }

  /// Activations of a recurrent cell have no state and may all be unnamed.
  void check_name(const Edge& edge, std::set<std::string>& names) const {
    if (edge.name.empty() && graph_.language_model) return;
    require(names.insert(edge.name).second, where_ + " with two edges of the name '" + edge.name + "'");
  }

  void check_edge(const Edge& edge, const std::set<int>& fed) const {
    require(edge.to >= cell_.inputs && edge.from >= 0,
            edge_name(edge) + "; nodes count from 0, and the first " + number(cell_.inputs) + " are inputs");
    if (!edge.runs) {
      require(fed.count(edge.to) != 0, edge_name(edge) + ", which never runs, to a node that nothing feeds");
      return;
    }
    require(edge.from < edge.to, edge_name(edge) + "; edges lead to later nodes");
    require(fed.count(edge.from) != 0, edge_name(edge) + ", but nothing feeds node " + number(edge.from));
  }

  void check_choice(const Edge& edge, const Choice& choice) const {
    const AlphaRef& ref = choice.alphas;
    const std::string where = edge_name(edge);
    const auto sets = static_cast<int>(graph_.alphas.size());
    require(ref.set >= 0 && ref.set < sets,
            where + ", whose alphas are set " + number(ref.set) + " of " + number(sets));
    const AlphaSet& set = graph_.alphas[static_cast<std::size_t>(ref.set)];
    const std::vector<std::int64_t> shape = set.shape();
    const std::int64_t rows = set.per_cell ? shape[0] : 1, edges = shape[shape.size() - 2];
    require(ref.cell >= 0 && ref.cell < rows,
            where + ", whose alphas are in row " + number(ref.cell) + " of " + number(rows) + " of " + set.name);
    require(ref.edge >= 0 && ref.edge < edges,
            where + ", whose alphas are edge " + number(ref.edge) + " of " + number(edges) + " of " + set.name);
    require(choice.candidates == set.topology.operations, where + ", whose candidates are not those of " + set.name);
  }

  void check_output(const std::set<int>& fed) const {
    require(!cell_.output.empty(), where_ + " without output");
    for (const int node : cell_.output)
      require(fed.count(node) != 0, where_ + " with node " + number(node) + " in its output, which nothing feeds");
  }

  const NetworkGraph& graph_;
  std::size_t index_;
  const Block& block_;
  const Cell& cell_;
  std::string where_;
};

void check_sets(const NetworkGraph& graph) {
  std::set<std::string> names;
  for (const AlphaSet& set : graph.alphas) {
    require(names.insert(set.name).second, "two alpha sets of the name '" + set.name + "'");
    require(!set.topology.edges.empty() && !set.topology.operations.empty(),
            "the alpha set " + set.name + " without edges or operations");
    require(set.rows.empty() || set.rows.size() == set.cells.size(),
            "the alpha set " + set.name + " with rows for " + number(static_cast<std::int64_t>(set.rows.size())) +
                " of " + number(static_cast<std::int64_t>(set.cells.size())) + " cells");
    for (const int row : set.rows) require(row >= 0, "the alpha set " + set.name + " with row " + number(row));
    std::int64_t numbers = 1;
    for (const std::int64_t side : set.shape()) numbers *= side;
    const auto start = static_cast<std::int64_t>(set.start.size());
    require(start == 0 || start == numbers,
            "the alpha set " + set.name + " with " + number(start) + " start values, expected " + number(numbers));
  }
}

void check_outputs(const NetworkGraph& graph) {
  if (graph.language_model) {
    require(graph.blocks.size() == 1 && graph.outputs.empty(),
            "a language model of " + number(static_cast<std::int64_t>(graph.blocks.size())) + " blocks and " +
                number(static_cast<std::int64_t>(graph.outputs.size())) + " outputs, expected one block and no output");
    return;
  }
  require(graph.domain == Domain::image, "a recurrent network without a language model");
  bool evaluated = false;
  for (const Output& output : graph.outputs) {
    require(
        output.block >= 0 && output.block < static_cast<int>(graph.blocks.size()),
        "an output of block " + number(output.block) + " of " + number(static_cast<std::int64_t>(graph.blocks.size())));
    evaluated = evaluated || !output.training_only;
  }
  require(evaluated, "a network without an output that is evaluated");
}

}  // namespace

void check(const NetworkGraph& graph) {
  check_sets(graph);
  std::set<std::string> names;
  for (std::size_t i = 0; i < graph.blocks.size(); ++i) {
    const std::string& name = graph.blocks[i].cell.name;
    require(names.insert(name).second, "two blocks of the name '" + name + "'");
    BlockCheck(graph, i).run();
  }
  check_outputs(graph);
}

std::vector<std::string> unused_alphas(const NetworkGraph& graph) {
  std::set<int> used;
  for (const Block& block : graph.blocks)
    for (const Edge& edge : block.cell.edges)
      if (const auto* choice = std::get_if<Choice>(&edge.does)) used.insert(choice->alphas.set);
  std::vector<std::string> unused;
  for (std::size_t i = 0; i < graph.alphas.size(); ++i)
    if (used.count(graph.alphas[i].weighs.value_or(static_cast<int>(i))) == 0) unused.push_back(graph.alphas[i].name);
  return unused;
}

}  // namespace mixop
