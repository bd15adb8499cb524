#include "host/onnx/language_lowering.hpp"

#include "host/onnx/structure_lowering.hpp"

namespace mixop {
namespace {

/// A recurrent highway cell (DARTS, section 3.1 and its model.py): from a state s and a product (x, y) the state
/// s + sigmoid(x) (f(y) - s).
class StepLowering {
 public:
  StepLowering(onnx::GraphProto& proto, const NetworkGraph& network, const OperatorCatalog& operators,
               const std::vector<NamedValues>& state)
      : graph_(proto, {"words", "state", "logits", "next_state"}),
        network_(network),
        operators_(operators),
        state_(state) {}

  void lower() {
    const Cell& cell = network_.blocks.at(0).cell;
    const std::string embedding = tensor("encoder.weight");
    const std::string x = node("Gather", "encoder", {embedding, "words"});
    const std::string read =
        graph_.node("Concat", joined_name(cell.name, "read"), {x, "state"}).integer("axis", 1).output();
    const std::string first =
        node("MatMul", joined_name(cell.name, "_W0.product"), {read, tensor(joined_name(cell.name, "_W0"))});
    std::vector<std::string> states(cell.edges.size() + 1);
    states[0] = highway(cell.name, "state", first,
                        [&](const std::string& y) { return node("Tanh", joined_name(cell.name, "tanh"), {y}); });
    for (const Edge& edge : cell.edges) {
      const std::string name = joined_name(cell.name, "_Ws." + std::to_string(edge.to - 1));
      const std::string& from = states.at(static_cast<std::size_t>(edge.from));
      const std::string product = node("MatMul", name + ".product", {from, tensor(name)});
      states.at(static_cast<std::size_t>(edge.to)) =
          highway(name, from, product, [&](const std::string& y) { return activation(edge, name, y); });
    }
    std::vector<std::string> outputs;
    for (const int output : cell.output) outputs.push_back(states.at(static_cast<std::size_t>(output)));
    graph_.last_node("Mean", "next_state", outputs);
    const std::string turned = graph_.node("Transpose", "decoder.turned", {embedding}).ints("perm", {1, 0}).output();
    const std::string scores = node("MatMul", "decoder", {"next_state", turned});
    graph_.last_node("Add", "logits", {scores, tensor("decoder.bias")});
  }

 private:
  std::string node(const char* type, const std::string& name, const std::vector<std::string>& inputs) {
    return graph_.node(type, name, inputs).output();
  }
  std::string tensor(const std::string& name) { return graph_.tensor(name, state_.at(name)); }

  /// Columns [begin, begin + width) of a product.
  std::string half(const std::string& name, const std::string& product, std::int64_t begin) {
    const std::int64_t width = network_.language_model->width;
    return node("Slice", name + ".half",
                {product, graph_.integers(name + ".starts", {begin}), graph_.integers(name + ".ends", {begin + width}),
                 graph_.integers(name + ".axes", {1})});
  }

  template <class Activation>
  std::string highway(const std::string& name, const std::string& from, const std::string& product,
                      const Activation& f) {
    const std::string gate = node("Sigmoid", name + ".gate", {half(name, product, 0)});
    const std::string change =
        node("Sub", name + ".change", {f(half(name, product, network_.language_model->width)), from});
    return node("Add", name + ".state", {from, node("Mul", name + ".gated", {gate, change})});
  }

  std::string activation(const Edge& edge, const std::string& name, const std::string& y) {
    const Structure structure = structure_for(edge, Domain::recurrent, operators_, name);
    return StructureLowering(graph_, state_, /*fold_norms=*/false, name, structure)
        .lower({y, {network_.language_model->width, 1, 1}})
        .name;
  }

  OnnxGraph graph_;
  const NetworkGraph& network_;
  const OperatorCatalog& operators_;
  FloatState state_;
};

}  // namespace

void lower_language_step(onnx::GraphProto& proto, const NetworkGraph& network, const OperatorCatalog& operators,
                         const std::vector<NamedValues>& state) {
  const LanguageModel& model = *network.language_model;
  OnnxGraph::declare(*proto.add_input(), "words", {}, onnx::TensorProto::INT64);
  OnnxGraph::declare(*proto.add_input(), "state", {model.width});
  StepLowering(proto, network, operators, state).lower();
  OnnxGraph::declare(*proto.add_output(), "logits", {model.words});
  OnnxGraph::declare(*proto.add_output(), "next_state", {model.width});
}

}  // namespace mixop
