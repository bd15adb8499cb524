#include "host/runtime/fused/cell_program.hpp"

#include <utility>

namespace mixop {
namespace {

std::vector<at::Tensor> parameters_in(const std::vector<StateEntry>& state) {
  std::vector<at::Tensor> parameters;
  for (const StateEntry& entry : state)
    if (entry.kind == StateKind::parameter) parameters.push_back(entry.tensor);
  return parameters;
}

bool is_zero(const OperatorInstance& operation) {
  return operation.structure() && operation.structure()->is_only(StageKind::zero);
}

class Lowering {
 public:
  explicit Lowering(const PlainBlock& block) : block_(block) {
    program_.inputs = block.cell().inputs;
    program_.nodes = block.nodes();
    program_.output = block.cell().output;
    program_.shapes.resize(static_cast<std::size_t>(block.nodes()));
  }

  std::optional<CellProgram> lower() {
    for (const PlainBlock::Step& step : block_.steps()) {
      if (const auto* module = std::get_if<Module>(&step.does)) {
        add(step, operation_of(step.from, *module, [module](const at::Tensor& x, const Forward& how) {
              return module->forward(x, how);
            }, module->state()));
      } else if (const auto* named = std::get_if<OperatorInstance>(&step.does)) {
        add_named(step, *named);
      } else {
        const auto& mixed = std::get<PlainBlock::Mixed>(step.does);
        if (mixed.divisor != 1) return std::nullopt;
        add_mixed(step, mixed);
      }
    }
    if (fused_ == 0) return std::nullopt;
    collect_parameters();
    return std::move(program_);
  }

 private:
  using OwnCode = std::function<at::Tensor(const at::Tensor&, const Forward&)>;

  CellProgram::Operation operation_of(int from, const Module& module, OwnCode code,
                                      const std::vector<StateEntry>& state) {
    std::optional<Chain> chain = module.empty() ? std::nullopt : chain_of(module);
    if (!chain) return {from, {}, std::move(code), parameters_in(state)};
    fused_ += chain->empty() ? 0 : 1;
    return {from, std::move(*chain)};
  }

  void add_named(const PlainBlock::Step& step, const OperatorInstance& named) {
    // The shape is only asked for where nothing feeds the node; then its operations are zeros, which say their stride.
    if (is_zero(named)) return note_shape(step, 0, named.structure()->stages().front().stride[0]);
    add(step, operation_of(step.from, named.module(), [&named](const at::Tensor& x, const Forward& how) {
          return named.forward(x, how);
        }, named.state()));
  }

  void add_mixed(const PlainBlock::Step& step, const PlainBlock::Mixed& mixed) {
    note_shape(step, mixed.spec.out, mixed.spec.stride);
    for (const std::size_t k : mixed.counted) {
      const Candidate& candidate = mixed.candidates[k];
      CellProgram::Term& term = add(step, operation_of(step.from, candidate.module(),
                                                       [&candidate](const at::Tensor& x, const Forward& how) {
                                                         return candidate.forward(x, how);
                                                       },
                                                       candidate.state()));
      term.alphas = mixed.alphas;
      term.candidate = k;
    }
  }

  void note_shape(const PlainBlock::Step& step, std::int64_t channels, std::int64_t stride) {
    program_.shapes[static_cast<std::size_t>(step.to)] = {step.from, channels, stride};
  }

  /// A term of the node, on an operation of its own or on one that computes the same.
  CellProgram::Term& add(const PlainBlock::Step& step, CellProgram::Operation operation) {
    CellProgram::Term term;
    term.to = step.to;
    if (block_.cell().drop_path == DropPath::nodes && masks_node(step.to))
      term.drop = static_cast<std::uint64_t>(step.to);
    else if (step.drops)
      term.drop = step.draw;
    for (; term.operation < program_.operations.size(); ++term.operation)
      if (share(program_.operations[term.operation], operation, term.copy)) break;
    if (term.operation == program_.operations.size()) program_.operations.push_back(std::move(operation));
    return program_.terms.emplace_back(term);
  }

  /// A node's sum is masked unless its last edge is a fixed layer.
  bool masks_node(int node) const {
    bool masked = false;
    for (const PlainBlock::Step& step : block_.steps())
      if (step.to == node) masked = !std::holds_alternative<Module>(step.does);
    return masked;
  }

  static bool share(CellProgram::Operation& known, CellProgram::Operation& other, std::size_t& copy) {
    if (known.from != other.from || known.own_code || other.own_code) return false;
    if (known.chain.empty() && other.chain.empty()) return true;
    if (!computes_the_same(known.chain, other.chain)) return false;
    if (!known.chain.front().norm) return true;
    std::vector<Norm::Statistics>& running = known.chain.front().norm->running;
    copy = running.size();
    running.push_back(other.chain.front().norm->running.front());
    return true;
  }

  void collect_parameters() {
    for (const CellProgram::Operation& operation : program_.operations)
      for (const at::Tensor& parameter : parameters_of(operation)) program_.parameters.push_back(parameter);
  }

  const PlainBlock& block_;
  CellProgram program_;
  int fused_ = 0;
};

}  // namespace

std::vector<at::Tensor> parameters_of(const CellProgram::Operation& operation) {
  std::vector<at::Tensor> parameters = operation.own_parameters;
  const auto add_if = [&](const at::Tensor& tensor) {
    if (tensor.defined()) parameters.push_back(tensor);
  };
  for (const Unit& unit : operation.chain) {
    add_if(unit.depthwise);
    for (const Unit::Part& part : unit.parts) add_if(part.weight);
    if (unit.norm) add_if(unit.norm->weight);
    if (unit.norm) add_if(unit.norm->bias);
  }
  return parameters;
}

std::optional<CellProgram> lower(const PlainBlock& block) { return Lowering(block).lower(); }

}  // namespace mixop
