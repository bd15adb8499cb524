#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/graph/operators.hpp"
#include "host/graph/state_name.hpp"
#include "host/onnx/onnx_graph.hpp"
#include "host/weights/weight_file.hpp"
#include "mixop/graph.hpp"
#include "mixop/structure.hpp"

namespace mixop {

/// A value of the network: its name in the file, and the shape of one sample.
struct Value {
  std::string name;
  ImageShape shape;
};

/// The structure of the operator of an edge; `place` names the edge. Throws unsupported for a mixed operation and for
/// an operator without a structure.
Structure structure_for(const Edge& edge, Domain domain, const OperatorCatalog& operators, const std::string& place);

/// The parameters and buffers of a network as float32.
class FloatState {
 public:
  explicit FloatState(const std::vector<NamedValues>& all);
  /// Throws unsupported for tensors of other numbers than float32 and float64.
  FloatTensor at(const std::string& name) const;

 private:
  std::map<std::string, const NamedValues*> by_name_;
};

/// Puts a structure's stages into the graph, its tensors named below `prefix`.
class StructureLowering {
 public:
  StructureLowering(OnnxGraph& graph, const FloatState& state, bool fold_norms, std::string prefix,
                    const Structure& structure)
      : graph_(graph), state_(state), fold_norms_(fold_norms), prefix_(std::move(prefix)), structure_(structure) {}

  /// The structure's output on a value.
  Value lower(const Value& input);

 private:
  std::string place(const Stage& stage) const {
    return joined_name(prefix_, stage.name.empty() ? "stage" : stage.name);
  }
  std::string tensor_name(const Stage& stage, const char* own) const {
    return joined_name(prefix_, joined_name(stage.name, own));
  }
  FloatTensor state_of(const Stage& stage, const char* own) const { return state_.at(tensor_name(stage, own)); }
  std::string held(const Stage& stage, const char* own) {
    return graph_.tensor(tensor_name(stage, own), state_of(stage, own));
  }
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
  const Stage* norm_behind(std::size_t i) const;

  OnnxGraph& graph_;
  const FloatState& state_;
  bool fold_norms_;
  std::string prefix_;
  const Structure& structure_;
  std::vector<Value> values_;
};

}  // namespace mixop
