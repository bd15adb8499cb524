#include "host/onnx/structure_lowering.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <variant>

#include "mixop/error.hpp"
#include "mixop/structure_size.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

std::vector<std::int64_t> list(const Pair& pair) { return {pair[0], pair[1]}; }
std::vector<std::int64_t> twice(const Pair& pair) { return {pair[0], pair[1], pair[0], pair[1]}; }

}  // namespace

Structure structure_for(const Edge& edge, Domain domain, const OperatorCatalog& operators, const std::string& place) {
  if (const auto* structure = std::get_if<Structure>(&edge.does)) return *structure;
  const auto* named = std::get_if<NamedOp>(&edge.does);
  if (named == nullptr)
    throw Error(ErrorCode::unsupported,
                "ONNX: " + place + " is a mixed operation; derive and train the genotype first");
  const auto structure = structure_of(operators.find_operator(named->name, domain), named->name, named->spec);
  if (!structure)
    throw Error(ErrorCode::unsupported, "ONNX: the operator '" + named->name + "' (edge " + place +
                                            ") has no structure, of which its form is made; its plugin must give one");
  return *structure;
}

FloatState::FloatState(const std::vector<NamedValues>& all) {
  for (const NamedValues& one : all) by_name_.emplace(one.entry.name, &one);
}

FloatTensor FloatState::at(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) throw Error(ErrorCode::failed, "ONNX: the network has no '" + name + "'");
  const NamedValues& own = *found->second;
  FloatTensor made{own.entry.shape, std::vector<float>(static_cast<std::size_t>(own.entry.count()))};
  if (own.entry.type == WeightType::float32) {
    std::memcpy(made.values.data(), own.bytes.data(), own.bytes.size());
  } else if (own.entry.type == WeightType::float64) {
    std::vector<double> wide(made.values.size());
    std::memcpy(wide.data(), own.bytes.data(), own.bytes.size());
    std::transform(wide.begin(), wide.end(), made.values.begin(),
                   [](double value) { return static_cast<float>(value); });
  } else {
    throw Error(ErrorCode::unsupported, "ONNX: '" + name + "' holds no float32 or float64");
  }
  return made;
}

Value StructureLowering::lower(const Value& input) {
  values_ = {input};
  const std::vector<Stage>& stages = structure_.stages();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Structure so_far = Structure::of({stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(i) + 1});
    values_.push_back({lower(i), size_of(so_far, input.shape).output});
  }
  return values_.back();
}

const Stage* StructureLowering::norm_behind(std::size_t i) const {
  const std::vector<Stage>& stages = structure_.stages();
  if (!fold_norms_ || i + 1 >= stages.size() || stages[i + 1].kind != StageKind::batch_norm) return nullptr;
  const int value = static_cast<int>(i) + 1;
  for (std::size_t k = 0; k < stages.size(); ++k)
    if ((k == i + 1) != (std::count(stages[k].inputs.begin(), stages[k].inputs.end(), value) > 0)) return nullptr;
  return &stages[i + 1];
}

std::string StructureLowering::conv(std::size_t i) {
  const Stage& stage = structure_.stages()[i];
  FloatTensor weight = state_of(stage, "weight");
  const std::int64_t out = weight.shape.front();
  FloatTensor bias{{out}, std::vector<float>(static_cast<std::size_t>(out))};
  if (stage.bias) bias = state_of(stage, "bias");
  const Stage* const norm = norm_behind(i);
  if (norm != nullptr) {
    const FloatTensor mean = state_of(*norm, "running_mean"), variance = state_of(*norm, "running_var");
    const FloatTensor gain = norm->affine ? state_of(*norm, "weight") : FloatTensor(),
                      shift = norm->affine ? state_of(*norm, "bias") : FloatTensor();
    const std::size_t each = weight.values.size() / static_cast<std::size_t>(out);
    for (std::size_t c = 0; c < static_cast<std::size_t>(out); ++c) {
      const double scale = (norm->affine ? gain.values[c] : 1.0) / std::sqrt(variance.values[c] + norm->epsilon);
      for (std::size_t k = 0; k < each; ++k)
        weight.values[c * each + k] = static_cast<float>(weight.values[c * each + k] * scale);
      bias.values[c] =
          static_cast<float>((bias.values[c] - mean.values[c]) * scale + (norm->affine ? shift.values[c] : 0.0));
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
  if (i > 0 && structure_.stages()[i - 1].kind == StageKind::conv && norm_behind(i - 1) != nullptr)
    return input(stage).name;
  const auto constant = [&](const char* own, float value) {
    return graph_.tensor(tensor_name(stage, own),
                         {{stage.out}, std::vector<float>(static_cast<std::size_t>(stage.out), value)});
  };
  const std::string gain = stage.affine ? held(stage, "weight") : constant("weight", 1);
  const std::string offset = stage.affine ? held(stage, "bias") : constant("bias", 0);
  return graph_
      .node("BatchNormalization", place(stage),
            {input(stage).name, gain, offset, held(stage, "running_mean"), held(stage, "running_var")})
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
  const std::string cut =
      graph_
          .node("Slice", name,
                {x.name, graph_.integers(name + ".starts", {1, 1}), graph_.integers(name + ".ends", {kLast, kLast}),
                 graph_.integers(name + ".axes", {2, 3})})
          .output();
  const std::int64_t rows = x.shape.height % 2, columns = x.shape.width % 2;
  if (rows + columns == 0) return cut;
  return graph_.node("Pad", name, {cut, graph_.integers(name + ".pads", {0, 0, 0, 0, 0, 0, rows, columns})}).output();
}

std::string StructureLowering::shuffle(const Stage& stage) {
  const Value& x = input(stage);
  const std::string name = place(stage);
  const std::int64_t each = x.shape.channels / stage.groups, pixels = x.shape.height * x.shape.width;
  const std::string split =
      graph_.node("Reshape", name, {x.name, graph_.integers(name + ".groups", {0, stage.groups, each, pixels})})
          .output();
  const std::string turned = graph_.node("Transpose", name, {split}).ints("perm", {0, 2, 1, 3}).output();
  return graph_
      .node("Reshape", name,
            {turned, graph_.integers(name + ".shape", {0, x.shape.channels, x.shape.height, x.shape.width})})
      .output();
}

std::string StructureLowering::zero(const Stage& stage) {
  const std::string name = place(stage);
  std::string x = input(stage).name;
  if (stage.stride != Pair{1, 1})
    x = graph_
            .node("Slice", name,
                  {x, graph_.integers(name + ".starts", {0, 0}), graph_.integers(name + ".ends", {kLast, kLast}),
                   graph_.integers(name + ".axes", {2, 3}), graph_.integers(name + ".steps", list(stage.stride))})
            .output();
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
    case StageKind::zero:
      return zero(stage);
    case StageKind::identity:
      return input(stage).name;
    case StageKind::relu:
      return simple("Relu").output();
    case StageKind::tanh:
      return simple("Tanh").output();
    case StageKind::sigmoid:
      return simple("Sigmoid").output();
    case StageKind::conv:
      return conv(i);
    case StageKind::batch_norm:
      return norm(i);
    case StageKind::max_pool:
    case StageKind::avg_pool:
      return pool(stage);
    case StageKind::global_avg_pool:
      return simple("GlobalAveragePool").output();
    case StageKind::linear: {
      std::vector<std::string> inputs{
          graph_.node("Flatten", place(stage), {input(stage).name}).integer("axis", 1).output(), held(stage, "weight")};
      if (stage.bias) inputs.push_back(held(stage, "bias"));
      return graph_.node("Gemm", place(stage), inputs).integer("transB", 1).output();
    }
    case StageKind::shift:
      return shift(stage);
    case StageKind::add:
      return simple("Add").output();
    case StageKind::multiply:
      return simple("Mul").output();
    case StageKind::concat:
      return simple("Concat").integer("axis", 1).output();
    case StageKind::shuffle:
      return shuffle(stage);
  }
  throw Error(ErrorCode::unsupported,
              "ONNX: a stage of kind " + std::to_string(static_cast<int>(stage.kind)) + " has no form");
}

}  // namespace mixop
