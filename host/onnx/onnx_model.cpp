#include "host/onnx/onnx_model.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "host/onnx/language_lowering.hpp"
#include "host/onnx/structure_lowering.hpp"
#include "mixop/error.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

constexpr std::int64_t kRepresentation = 8, kOperatorSet = 17;

/// Puts the blocks of a network into the graph.
class NetworkLowering {
 public:
  NetworkLowering(onnx::GraphProto& proto, const OperatorCatalog& operators, const std::vector<NamedValues>& state,
                  bool fold_norms)
      : graph_(proto, {"images", "logits"}), operators_(operators), state_(state), fold_norms_(fold_norms) {}

  Value lower(const Block& block, const std::vector<Value>& inputs) {
    const Cell& cell = block.cell;
    std::vector<std::vector<Value>> terms(static_cast<std::size_t>(cell.inputs));
    for (std::size_t i = 0; i < inputs.size(); ++i) terms[i] = {inputs[i]};
    std::vector<const Edge*> edges;
    for (const Edge& edge : cell.edges)
      if (edge.runs) edges.push_back(&edge);
    std::stable_sort(edges.begin(), edges.end(), [](const Edge* a, const Edge* b) { return a->to < b->to; });
    for (const Edge* edge : edges) {
      if (terms.size() <= static_cast<std::size_t>(edge->to)) terms.resize(static_cast<std::size_t>(edge->to) + 1);
      const Value from = sum(cell, terms, edge->from);
      terms[static_cast<std::size_t>(edge->to)].push_back(lower(cell, *edge, from));
    }
    std::vector<Value> outputs;
    for (const int node : cell.output) outputs.push_back(sum(cell, terms, node));
    if (outputs.size() == 1) return outputs.front();
    std::vector<std::string> names;
    ImageShape shape = outputs.front().shape;
    shape.channels = 0;
    for (const Value& output : outputs) {
      names.push_back(output.name);
      shape.channels += output.shape.channels;
    }
    return {graph_.node("Concat", joined_name(cell.name, "output"), names).integer("axis", 1).output(), shape};
  }

  OnnxGraph& graph() { return graph_; }

 private:
  /// The sum of what leads to a node, made once.
  Value sum(const Cell& cell, std::vector<std::vector<Value>>& terms, int node) {
    std::vector<Value>& own = terms.at(static_cast<std::size_t>(node));
    if (own.empty())
      throw Error(ErrorCode::unsupported, "ONNX: nothing leads to node " + std::to_string(node) + " of " + cell.name);
    if (own.size() == 1) return own.front();
    std::vector<std::string> names;
    for (const Value& term : own) names.push_back(term.name);
    own = {
        {graph_.node("Sum", joined_name(cell.name, "node" + std::to_string(node)), names).output(), own.front().shape}};
    return own.front();
  }

  Value lower(const Cell& cell, const Edge& edge, const Value& from) {
    const std::string prefix = joined_name(cell.name, edge.name);
    const Structure structure = structure_for(edge, Domain::image, operators_, prefix);
    return StructureLowering(graph_, state_, fold_norms_, prefix, structure).lower(from);
  }

  OnnxGraph graph_;
  const OperatorCatalog& operators_;
  FloatState state_;
  bool fold_norms_;
};

void lower_images(onnx::GraphProto& proto, const NetworkGraph& network, const OperatorCatalog& operators,
                  const std::vector<NamedValues>& state, bool fold_norms) {
  NetworkLowering lowering(proto, operators, state, fold_norms);
  const ImageShape& image = network.input;
  OnnxGraph::declare(*proto.add_input(), "images", {image.channels, image.height, image.width});
  std::vector<Value> results(network.blocks.size());
  for (std::size_t i = 0; i < network.blocks.size(); ++i) {
    const auto output = std::find_if(network.outputs.begin(), network.outputs.end(),
                                     [&](const Output& one) { return static_cast<std::size_t>(one.block) == i; });
    if (output != network.outputs.end() && output->training_only) continue;
    std::vector<Value> inputs;
    for (const int read : network.blocks[i].reads)
      inputs.push_back(read < 0 ? Value{"images", image} : results[static_cast<std::size_t>(read)]);
    results[i] = lowering.lower(network.blocks[i], inputs);
    if (output == network.outputs.end()) continue;
    lowering.graph().last_node("Flatten", "logits", {results[i].name});
    OnnxGraph::declare(*proto.add_output(), "logits", {network.classes});
  }
  if (proto.output_size() != 1)
    throw Error(ErrorCode::unsupported,
                "ONNX: the network has " + std::to_string(proto.output_size()) + " outputs; expected one");
}

}  // namespace

std::string onnx_model(const NetworkGraph& network, const OperatorCatalog& operators,
                       const std::vector<NamedValues>& state, const OnnxOptions& options) {
  if (network.language_model && options.fold_norms)
    throw Error(ErrorCode::usage, "--fold-norms: a recurrent network has no norms to fold; leave it out");
  onnx::ModelProto model;
  model.set_ir_version(kRepresentation);
  model.set_producer_name("mixop");
  model.set_producer_version(MIXOP_VERSION_STRING);
  model.add_opset_import()->set_version(kOperatorSet);
  for (const auto& [key, text] : options.metadata) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(text);
  }
  onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name("network");
  if (network.language_model)
    lower_language_step(proto, network, operators, state);
  else
    lower_images(proto, network, operators, state, options.fold_norms);
  if (model.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw Error(ErrorCode::unsupported, "ONNX: the network has " + std::to_string(model.ByteSizeLong()) +
                                            " bytes, and a file of the format has less than 2 GiB; export it as pt");
  return model.SerializeAsString();
}

}  // namespace mixop
