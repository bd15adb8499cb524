#include "host/graph/measure.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "host/graph/operator_costs.hpp"
#include "mixop/error.hpp"
#include "mixop/structure_size.hpp"

namespace mixop {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::plugin, "the space describes a network that does not fit together: " + what);
}

std::string label_of(const Cell& cell, int node) {
  const auto index = static_cast<std::size_t>(node);
  return index < cell.labels.size() ? cell.labels[index] : std::to_string(node);
}

std::string way_of(const Cell& cell, const Edge& edge) {
  return label_of(cell, edge.from) + " -> " + label_of(cell, edge.to);
}

/// Whether a block is one layer: its structure alone.
bool is_plain(const Cell& cell) {
  return cell.edges.size() == 1 && cell.edges[0].name.empty() && std::holds_alternative<Structure>(cell.edges[0].does);
}

/// For each candidate of each alpha set a cost of nothing.
std::vector<std::vector<Cost>> without_cost(const NetworkGraph& graph) {
  std::vector<std::vector<Cost>> costs;
  for (const AlphaSet& set : graph.alphas) {
    std::size_t numbers = 1;
    for (const std::int64_t size : set.shape()) numbers *= static_cast<std::size_t>(size);
    costs.emplace_back(numbers);
  }
  return costs;
}

/// Sizes one block after the other.
class Measuring {
 public:
  Measuring(const NetworkGraph& graph, const OperatorCatalog& operators) : graph_(graph), costs_(operators) {
    measured_.candidates = without_cost(graph);
  }

  MeasuredNetwork run() {
    const std::vector<bool> evaluated = blocks_in_evaluation();
    for (std::size_t i = 0; i < graph_.blocks.size(); ++i) {
      std::vector<ImageShape> inputs;
      for (const int read : graph_.blocks[i].reads)
        inputs.push_back(read < 0 ? graph_.input : outputs_[static_cast<std::size_t>(read)]);
      NetworkPart part = part_of(graph_.blocks[i].cell, inputs);
      part.training_only = !evaluated[i];
      outputs_.push_back(part.output);
      measured_.parts.push_back(std::move(part));
    }
    for (const Output& output : graph_.outputs) check_output(output);
    return std::move(measured_);
  }

 private:
  /// Blocks that an output of evaluation reads, by way of others or not.
  std::vector<bool> blocks_in_evaluation() const {
    std::vector<bool> reached(graph_.blocks.size(), false);
    for (const Output& output : graph_.outputs)
      if (!output.training_only) reached[static_cast<std::size_t>(output.block)] = true;
    for (std::size_t i = graph_.blocks.size(); i-- > 0;)
      for (const int read : graph_.blocks[i].reads)
        if (reached[i] && read >= 0) reached[static_cast<std::size_t>(read)] = true;
    return reached;
  }

  void check_output(const Output& output) const {
    const auto block = static_cast<std::size_t>(output.block);
    if (numbers_of(outputs_[block]) != graph_.classes)
      refuse("block " + graph_.blocks[block].cell.name + " puts out " + text_of(outputs_[block]) + " for " +
             std::to_string(graph_.classes) + " classes");
  }

  NetworkPart part_of(const Cell& cell, const std::vector<ImageShape>& inputs) {
    cell_ = &cell;
    where_ = cell.name;
    if (is_plain(cell)) {
      NetworkPart part = fixed_part(cell.edges[0], inputs.at(0));
      part.name = cell.name;
      part.kind = cell.kind;
      return part;
    }
    NetworkPart part{cell.name, cell.kind, {}};
    nodes_ = inputs;
    started_.clear();
    terms_.assign(1, 0);
    for (const Edge* edge : in_running_order(cell)) add_edge(*edge);
    for (const Edge& edge : cell.edges) part.layers.push_back(layer_of(edge));
    part.layers.push_back(output_layer());
    part.output = part.layers.back().output;
    return part;
  }

  /// A node is whole before somebody reads it.
  static std::vector<const Edge*> in_running_order(const Cell& cell) {
    std::vector<const Edge*> edges;
    for (const Edge& edge : cell.edges)
      if (edge.runs) edges.push_back(&edge);
    std::stable_sort(edges.begin(), edges.end(), [](const Edge* a, const Edge* b) { return a->to < b->to; });
    return edges;
  }

  const ImageShape& node(int index) const { return nodes_.at(static_cast<std::size_t>(index)); }

  /// Gives the node that the edge leads to its shape.
  void add_edge(const Edge& edge) {
    const auto to = static_cast<std::size_t>(edge.to);
    if (nodes_.size() <= to) nodes_.resize(to + 1);
    if (terms_.size() <= to) terms_.resize(to + 1, 0);
    const ImageShape shape = shape_after(edge, node(edge.from));
    if (terms_[to]++ == 0) {
      nodes_[to] = shape;
    } else if (!(nodes_[to] == shape)) {
      refuse(where_ + "." + edge.name + " gives " + text_of(shape) + " to node " + label_of(*cell_, edge.to) +
             ", which has " + text_of(nodes_[to]));
    }
  }

  ImageShape shape_after(const Edge& edge, const ImageShape& input) const {
    if (const auto* structure = std::get_if<Structure>(&edge.does)) return sized(edge, *structure, input).output;
    const auto* choice = std::get_if<Choice>(&edge.does);
    const OpSpec& spec = choice != nullptr ? choice->spec : std::get<NamedOp>(edge.does).spec;
    const std::int64_t divisor = choice != nullptr ? choice->channel_divisor : 1;
    if (spec.in * divisor != input.channels)
      refuse(where_ + "." + edge.name + " is for " + std::to_string(spec.in * divisor) + " channels and reads " +
             text_of(input));
    ImageShape output = strided(input, spec.stride);
    output.channels = spec.out * divisor;
    return output;
  }

  StructureSize sized(const Edge& edge, const Structure& structure, const ImageShape& input) const {
    try {
      return size_of(structure, input);
    } catch (const Error& error) {
      refuse("in " + where_ + (edge.name.empty() ? "" : "." + edge.name) + " " + error.what());
    }
  }

  NetworkPart layer_of(const Edge& edge) {
    if (std::holds_alternative<Structure>(edge.does)) return fixed_part(edge, node(edge.from));
    if (const auto* named = std::get_if<NamedOp>(&edge.does)) return named_part(edge, *named);
    return mixed_part(edge, std::get<Choice>(edge.does));
  }

  NetworkPart fixed_part(const Edge& edge, const ImageShape& input) const {
    const StructureSize size = sized(edge, std::get<Structure>(edge.does), input);
    const std::string kind = cell_->labels.empty() ? way_of(*cell_, edge) : label_of(*cell_, edge.from);
    return {edge.name, kind, size.output, {size.parameters, size.multiply_adds, size.activations}};
  }

  NetworkPart named_part(const Edge& edge, const NamedOp& named) {
    const std::string kind = named.name + " " + way_of(*cell_, edge);
    if (edge.runs) {
      const OperatorCosts::Known& known = costs_.of(named.name, named.spec, false, node(edge.from));
      return {edge.name, kind, known.output, known.cost};
    }
    // What feeds it may be missing; it would stand in the shape of its sum.
    ImageShape input = node(edge.to);
    input.channels = named.spec.in;
    const Cost whole = costs_.of(named.name, named.spec, false, input).cost;
    return {edge.name, kind + ", never run", node(edge.to), {whole.parameters, 0, 0}};
  }

  NetworkPart mixed_part(const Edge& edge, const Choice& choice) {
    ImageShape input = node(edge.from);
    input.channels = choice.spec.in;
    NetworkPart mixed{edge.name, way_of(*cell_, edge), strided(input, choice.spec.stride)};
    mixed.output.channels = choice.spec.out;
    for (std::size_t k = 0; k < choice.candidates.size(); ++k) {
      const OperatorCosts::Known& known = costs_.of(choice.candidates[k], choice.spec, choice.pools_normalised, input);
      NetworkPart layer{"_ops." + std::to_string(k), choice.candidates[k], mixed.output, known.cost};
      candidate_of(choice, k) += known.cost;
      if (known.zero) layer.own.activations = 0;
      if (known.start >= 0 && choice.channel_divisor == 1 && !started_.insert({edge.from, known.start}).second)
        layer.own.activations -= known.start_activations;
      mixed.layers.push_back(std::move(layer));
    }
    mixed.layers.push_back({"sum", "weighted", mixed.output, {0, 0, numbers_of(mixed.output)}});
    return mixed;
  }

  Cost& candidate_of(const Choice& choice, std::size_t k) {
    const auto set = static_cast<std::size_t>(choice.alphas.set);
    const CellTopology& topology = graph_.alphas[set].topology;
    const std::size_t row =
        static_cast<std::size_t>(choice.alphas.cell) * topology.edges.size() + static_cast<std::size_t>(choice.alphas.edge);
    return measured_.candidates[set].at(row * topology.operations.size() + k);
  }

  /// The sums of the nodes, each of which is one addition less than it has terms, and the concatenation.
  NetworkPart output_layer() const {
    const std::vector<int>& chosen = cell_->output;
    NetworkPart layer{"output", chosen.size() == 1 ? "node" : "concat", node(chosen.front())};
    layer.output.channels = 0;
    for (const int index : chosen) {
      layer.kind += " " + label_of(*cell_, index);
      const ImageShape& shape = node(index);
      if (shape.height != layer.output.height || shape.width != layer.output.width)
        refuse(where_ + " concatenates nodes of " + text_of(node(chosen.front())) + " and " + text_of(shape));
      layer.output.channels += shape.channels;
    }
    if (chosen.size() > 1) layer.own.activations = numbers_of(layer.output);
    for (std::size_t i = 0; i < terms_.size(); ++i)
      if (terms_[i] > 1) layer.own.activations += (terms_[i] - 1) * numbers_of(nodes_[i]);
    return layer;
  }

  const NetworkGraph& graph_;
  OperatorCosts costs_;
  MeasuredNetwork measured_;
  std::vector<ImageShape> outputs_;  // of blocks
  // Of the block at hand:
  const Cell* cell_ = nullptr;
  std::string where_;
  std::vector<ImageShape> nodes_;
  std::vector<std::int64_t> terms_;        // of every node
  std::set<std::pair<int, int>> started_;  // node and start
};

ImageShape vector_of(std::int64_t width) { return {width, 1, 1}; }

/// A node of the recurrent cell: the product with its matrix and what follows.
NetworkPart recurrent_node(const Cell& cell, int node, std::int64_t width) {
  NetworkPart layer{"_Ws." + std::to_string(node - cell.inputs), "", vector_of(width)};
  layer.own.parameters = 2 * width * width;
  std::int64_t sources = 0;
  bool mixed = false;
  for (const Edge& edge : cell.edges) {
    if (edge.to != node) continue;
    ++sources;
    if (const auto* named = std::get_if<NamedOp>(&edge.does)) {
      layer.kind += (layer.kind.empty() ? "" : ", ") + named->name + " " + way_of(cell, edge);
      layer.own.activations += 5 * width;  // product, gate, activation, and the mean of that and the source
    } else if (const auto* choice = std::get_if<Choice>(&edge.does)) {
      const auto computed = static_cast<std::int64_t>(choice->candidates.size()) -
                            std::count(choice->candidates.begin(), choice->candidates.end(), "none");
      // The state read, product and gate, every activation and the sum so far, the scaled state and their mean.
      layer.own.activations += width * (6 + 2 * computed);
      mixed = true;
    }
  }
  if (mixed) {
    layer.kind = "mixed, " + std::to_string(sources) + " sources";
    layer.own.activations += 2 * width;  // the sum of the sources and its norm
  }
  layer.own.multiply_adds = sources * 2 * width * width;
  return layer;
}

MeasuredNetwork measure_text(const NetworkGraph& graph) {
  const LanguageModel& model = *graph.language_model;
  const std::int64_t width = model.width, matrix = model.words * width;  // the decoder's as well
  const Cell& cell = graph.blocks.front().cell;
  NetworkPart part{cell.name, cell.kind, vector_of(width)};
  // The products with word and state, gate, candidate and their mean.
  part.layers.push_back({"_W0", "highway", vector_of(width), {4 * width * width, 4 * width * width, 7 * width}});
  int last = cell.inputs - 1;
  for (const Edge& edge : cell.edges) last = std::max(last, edge.to);
  for (int node = cell.inputs; node <= last; ++node) part.layers.push_back(recurrent_node(cell, node, width));
  const auto kept = static_cast<std::int64_t>(cell.output.size());
  part.layers.push_back({"output", "mean of nodes", vector_of(width), {0, 0, (kept + 1) * width}});
  MeasuredNetwork measured;
  measured.candidates = without_cost(graph);
  measured.parts.push_back({"encoder", "embedding", vector_of(width), {matrix, 0, width}});
  measured.parts.push_back(std::move(part));
  measured.parts.push_back({"decoder", "tied linear", vector_of(model.words), {model.words, matrix, model.words}});
  return measured;
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  parameters += other.parameters;
  multiply_adds += other.multiply_adds;
  activations += other.activations;
  uncounted.insert(uncounted.end(), other.uncounted.begin(), other.uncounted.end());
  return *this;
}

Cost NetworkPart::cost() const {
  Cost sum = own;
  for (const NetworkPart& layer : layers) sum += layer.cost();
  return sum;
}

Cost MeasuredNetwork::cost() const {
  Cost sum;
  for (const NetworkPart& part : parts)
    if (!part.training_only) sum += part.cost();
  return sum;
}

std::int64_t MeasuredNetwork::auxiliary_parameters() const {
  std::int64_t sum = 0;
  for (const NetworkPart& part : parts)
    if (part.training_only) sum += part.cost().parameters;
  return sum;
}

MeasuredNetwork measure(const NetworkGraph& graph, const OperatorCatalog& operators) {
  return graph.language_model ? measure_text(graph) : Measuring(graph, operators).run();
}

}  // namespace mixop
