#include "host/onnx/onnx_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "host/graph/state_name.hpp"
#include "host/onnx/onnx_graph.hpp"
#include "mixop/error.hpp"
#include "mixop/structure_size.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

constexpr std::int64_t kRepresentation = 8, kOperatorSet = 17, kLast = std::numeric_limits<std::int64_t>::max();

std::vector<std::int64_t> list(const Pair& pair) { return {pair[0], pair[1]}; }
std::vector<std::int64_t> twice(const Pair& pair) { return {pair[0], pair[1], pair[0], pair[1]}; }

/// A value of the network: its name in the file, and the shape of one sample.
struct Value {
  std::string name;
  ImageShape shape;
};

/// The parameters and buffers as float32.
class State {
 public:
  explicit State(const std::vector<NamedValues>& all) {
    for (const NamedValues& one : all) by_name_.emplace(one.entry.name, &one);
  }
  FloatTensor at(const std::string& name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) throw Error(ErrorCode::failed, "ONNX: the network has no '" + name + "'");
    const NamedValues& own = *found->second;
    FloatTensor made{own.entry.shape, std::vector<float>(static_cast<std::size_t>(own.entry.count()))};
    if (own.entry.type == WeightType::float32) {
      std::memcpy(made.values.data(), own.bytes.data(), own.bytes.size());
    } else if (own.entry.type == WeightType::float64) {
      std::vector<double> wide(made.values.size());
      std::memcpy(wide.data(), own.bytes.data(), own.bytes.size());
      std::transform(wide.begin(), wide.end(), made.values.begin(), [](double value) { return static_cast<float>(value); });
    } else {
      throw Error(ErrorCode::unsupported, "ONNX: '" + name + "' holds no float32 or float64");
    }
    return made;
  }

 private:
  std::map<std::string, const NamedValues*> by_name_;
};

/// Puts a structure's stages into the graph, its tensors named below `prefix`.
class StructureLowering {
 public:
  StructureLowering(OnnxGraph& graph, const State& state, bool fold_norms, std::string prefix, const Structure& structure)
      : graph_(graph), state_(state), fold_norms_(fold_norms), prefix_(std::move(prefix)), structure_(structure) {}

  Value lower(const Value& input) {
    values_ = {input};
    const std::vector<Stage>& stages = structure_.stages();
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const Structure so_far = Structure::of({stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(i) + 1});
      values_.push_back({lower(i), size_of(so_far, input.shape).output});
    }
    return values_.back();
  }

 private:
  std::string place(const Stage& stage) const { return joined_name(prefix_, stage.name.empty() ? "stage" : stage.name); }
  std::string tensor_name(const Stage& stage, const char* own) const { return joined_name(prefix_, joined_name(stage.name, own)); }
  FloatTensor state_of(const Stage& stage, const char* own) const { return state_.at(tensor_name(stage, own)); }
  std::string held(const Stage& stage, const char* own) { return graph_.tensor(tensor_name(stage, own), state_of(stage, own)); }
  const Value& input(const Stage& stage, std::size_t which = 0) const {
    return values_.at(static_cast<std::size_t>(stage.inputs.at(which)));
  }

  std::string lower(std::size_t i);
  std::string conv(std::size_t i);
  std::string norm(std::size_t i);
  std::string shift(const Stage& stage);
  std::string shuffle(const Stage& stage);
  std::string zero(const Stage& stage);
  std::string pool(const Stage& stage);

  /// The norm that alone reads a convolution's output and may become a part of it; null where there is none.
  const Stage* norm_behind(std::size_t i) const {
    const std::vector<Stage>& stages = structure_.stages();
    if (!fold_norms_ || i + 1 >= stages.size() || stages[i + 1].kind != StageKind::batch_norm) return nullptr;
    const int value = static_cast<int>(i) + 1;
    for (std::size_t k = 0; k < stages.size(); ++k)
      if ((k == i + 1) != (std::count(stages[k].inputs.begin(), stages[k].inputs.end(), value) > 0)) return nullptr;
    return &stages[i + 1];
  }

  OnnxGraph& graph_;
  const State& state_;
  bool fold_norms_;
  std::string prefix_;
  const Structure& structure_;
  std::vector<Value> values_;
};

/// What a norm in evaluation does to each channel: x * scale + offset.
struct ChannelMap {
  std::vector<double> scale, offset;
};

std::string StructureLowering::conv(std::size_t i) {
  const Stage& stage = structure_.stages()[i];
  FloatTensor weight = state_of(stage, "weight");
  const std::int64_t out = weight.shape.front();
  FloatTensor bias{{out}, std::vector<float>(static_cast<std::size_t>(out))};
  if (stage.bias) bias = state_of(stage, "bias");
  const Stage* const norm = norm_behind(i);
  if (norm != nullptr) {
    const FloatTensor mean = state_of(*norm, "running_mean"), variance = state_of(*norm, "running_var");
    const FloatTensor gain = norm->affine ? state_of(*norm, "weight") : FloatTensor(), shift = norm->affine ? state_of(*norm, "bias") : FloatTensor();
    const std::size_t each = weight.values.size() / static_cast<std::size_t>(out);
    for (std::size_t c = 0; c < static_cast<std::size_t>(out); ++c) {
      const double scale = (norm->affine ? gain.values[c] : 1.0) / std::sqrt(variance.values[c] + norm->epsilon);
      for (std::size_t k = 0; k < each; ++k) weight.values[c * each + k] = static_cast<float>(weight.values[c * each + k] * scale);
      bias.values[c] = static_cast<float>((bias.values[c] - mean.values[c]) * scale + (norm->affine ? shift.values[c] : 0.0));
    }
  }
  std::vector<std::string> inputs{input(stage).name, graph_.tensor(tensor_name(stage, "weight"), weight)};
  if (stage.bias || norm != nullptr) inputs.push_back(graph_.tensor(tensor_name(stage, "bias"), bias));
  return graph_.node("Conv", place(stage), inputs)
      .ints("kernel_shape", list(stage.kernel))
      .ints("strides", list(stage.stride))
      .ints("pads", twice(stage.padding))
      .ints("dilations", list(stage.dilation))
      .integer("group", stage.groups)
      .output();
}

std::string StructureLowering::norm(std::size_t i) {
  const Stage& stage = structure_.stages()[i];
  if (i > 0 && structure_.stages()[i - 1].kind == StageKind::conv && norm_behind(i - 1) != nullptr) return input(stage).name;
  const auto constant = [&](const char* own, float value) {
    return graph_.tensor(tensor_name(stage, own), {{stage.out}, std::vector<float>(static_cast<std::size_t>(stage.out), value)});
  };
  const std::string gain = stage.affine ? held(stage, "weight") : constant("weight", 1);
  const std::string offset = stage.affine ? held(stage, "bias") : constant("bias", 0);
  return graph_.node("BatchNormalization", place(stage), {input(stage).name, gain, offset, held(stage, "running_mean"), held(stage, "running_var")})
      .real("epsilon", stage.epsilon)
      .output();
}

std::string StructureLowering::pool(const Stage& stage) {
  const bool max = stage.kind == StageKind::max_pool;
  OnnxGraph::Node node = graph_.node(max ? "MaxPool" : "AveragePool", place(stage), {input(stage).name});
  node.ints("kernel_shape", list(stage.kernel)).ints("strides", list(stage.stride)).ints("pads", twice(stage.padding));
  if (!max) node.integer("count_include_pad", 0);
  return node.output();
}

std::string StructureLowering::shift(const Stage& stage) {
  const Value& x = input(stage);
  const std::string name = place(stage);
  const std::string cut = graph_.node("Slice", name, {x.name, graph_.integers(name + ".starts", {1, 1}), graph_.integers(name + ".ends", {kLast, kLast}),
                                                      graph_.integers(name + ".axes", {2, 3})}).output();
  const std::int64_t rows = x.shape.height % 2, columns = x.shape.width % 2;
  if (rows + columns == 0) return cut;
  return graph_.node("Pad", name, {cut, graph_.integers(name + ".pads", {0, 0, 0, 0, 0, 0, rows, columns})}).output();
}

std::string StructureLowering::shuffle(const Stage& stage) {
  const Value& x = input(stage);
  const std::string name = place(stage);
  const std::int64_t each = x.shape.channels / stage.groups, pixels = x.shape.height * x.shape.width;
  const std::string split = graph_.node("Reshape", name, {x.name, graph_.integers(name + ".groups", {0, stage.groups, each, pixels})}).output();
  const std::string turned = graph_.node("Transpose", name, {split}).ints("perm", {0, 2, 1, 3}).output();
  return graph_.node("Reshape", name, {turned, graph_.integers(name + ".shape", {0, x.shape.channels, x.shape.height, x.shape.width})}).output();
}

std::string StructureLowering::zero(const Stage& stage) {
  const std::string name = place(stage);
  std::string x = input(stage).name;
  if (stage.stride != Pair{1, 1})
    x = graph_.node("Slice", name, {x, graph_.integers(name + ".starts", {0, 0}), graph_.integers(name + ".ends", {kLast, kLast}),
                                    graph_.integers(name + ".axes", {2, 3}), graph_.integers(name + ".steps", list(stage.stride))}).output();
  return graph_.node("Mul", name, {x, graph_.tensor(name + ".zero", {{}, {0}})}).output();
}

std::string StructureLowering::lower(std::size_t i) {
  const Stage& stage = structure_.stages()[i];
  const auto simple = [&](const char* type) {
    std::vector<std::string> inputs;
    for (std::size_t k = 0; k < stage.inputs.size(); ++k) inputs.push_back(input(stage, k).name);
    return graph_.node(type, place(stage), inputs);
  };
  switch (stage.kind) {
    case StageKind::zero: return zero(stage);
    case StageKind::identity: return input(stage).name;
    case StageKind::relu: return simple("Relu").output();
    case StageKind::tanh: return simple("Tanh").output();
    case StageKind::sigmoid: return simple("Sigmoid").output();
    case StageKind::conv: return conv(i);
    case StageKind::batch_norm: return norm(i);
    case StageKind::max_pool:
    case StageKind::avg_pool: return pool(stage);
    case StageKind::global_avg_pool: return simple("GlobalAveragePool").output();
    case StageKind::linear: {
      std::vector<std::string> inputs{graph_.node("Flatten", place(stage), {input(stage).name}).integer("axis", 1).output(), held(stage, "weight")};
      if (stage.bias) inputs.push_back(held(stage, "bias"));
      return graph_.node("Gemm", place(stage), inputs).integer("transB", 1).output();
    }
    case StageKind::shift: return shift(stage);
    case StageKind::add: return simple("Add").output();
    case StageKind::multiply: return simple("Mul").output();
    case StageKind::concat: return simple("Concat").integer("axis", 1).output();
    case StageKind::shuffle: return shuffle(stage);
  }
  throw Error(ErrorCode::unsupported, "ONNX: a stage of kind " + std::to_string(static_cast<int>(stage.kind)) + " has no form");
}

/// Puts the blocks of a network into the graph.
class NetworkLowering {
 public:
  NetworkLowering(onnx::GraphProto& proto, const OperatorCatalog& operators, const std::vector<NamedValues>& state, bool fold_norms)
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

 private:
  /// The sum of what leads to a node, made once.
  Value sum(const Cell& cell, std::vector<std::vector<Value>>& terms, int node) {
    std::vector<Value>& own = terms.at(static_cast<std::size_t>(node));
    if (own.empty()) throw Error(ErrorCode::unsupported, "ONNX: nothing leads to node " + std::to_string(node) + " of " + cell.name);
    if (own.size() == 1) return own.front();
    std::vector<std::string> names;
    for (const Value& term : own) names.push_back(term.name);
    own = {{graph_.node("Sum", joined_name(cell.name, "node" + std::to_string(node)), names).output(), own.front().shape}};
    return own.front();
  }

  Value lower(const Cell& cell, const Edge& edge, const Value& from) {
    const std::string prefix = joined_name(cell.name, edge.name);
    const auto lowered = [&](const Structure& structure) {
      return StructureLowering(graph_, state_, fold_norms_, prefix, structure).lower(from);
    };
    if (const auto* structure = std::get_if<Structure>(&edge.does)) return lowered(*structure);
    const auto* named = std::get_if<NamedOp>(&edge.does);
    if (named == nullptr) throw Error(ErrorCode::unsupported, "ONNX: " + prefix + " is a mixed operation; derive and train the genotype first");
    const auto structure = structure_of(operators_.find_operator(named->name, Domain::image), named->name, named->spec);
    if (!structure)
      throw Error(ErrorCode::unsupported, "ONNX: the operator '" + named->name + "' (edge " + prefix +
                                              ") has no structure, of which its form is made; its plugin must give one");
    return lowered(*structure);
  }

  OnnxGraph graph_;
  const OperatorCatalog& operators_;
  State state_;
  bool fold_norms_;
};

}  // namespace

std::string onnx_model(const NetworkGraph& network, const OperatorCatalog& operators, const std::vector<NamedValues>& state,
                       const OnnxOptions& options) {
  if (network.language_model)
    throw Error(ErrorCode::unsupported, "ONNX: recurrent networks have no form yet; export them as pt or safetensors");
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
  NetworkLowering lowering(proto, operators, state, options.fold_norms);
  const ImageShape& image = network.input;
  OnnxGraph::declare(*proto.add_input(), "images", {image.channels, image.height, image.width});
  std::vector<Value> results(network.blocks.size());
  const auto find_output = [&](std::size_t block) {
    return std::find_if(network.outputs.begin(), network.outputs.end(), [&](const Output& output) { return static_cast<std::size_t>(output.block) == block; });
  };
  for (std::size_t i = 0; i < network.blocks.size(); ++i) {
    const auto output = find_output(i);
    if (output != network.outputs.end() && output->training_only) continue;
    std::vector<Value> inputs;
    for (const int read : network.blocks[i].reads) inputs.push_back(read < 0 ? Value{"images", image} : results[static_cast<std::size_t>(read)]);
    results[i] = lowering.lower(network.blocks[i], inputs);
    if (output == network.outputs.end()) continue;
    onnx::NodeProto& flat = *proto.add_node();
    flat.set_op_type("Flatten");
    flat.set_name("logits");
    flat.add_input(results[i].name);
    flat.add_output("logits");
    OnnxGraph::declare(*proto.add_output(), "logits", {network.classes});
  }
  if (proto.output_size() != 1) throw Error(ErrorCode::unsupported, "ONNX: the network has " + std::to_string(proto.output_size()) + " outputs; expected one");
  return model.SerializeAsString();
}

}  // namespace mixop
