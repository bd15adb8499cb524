#include "host/runtime/fused/cell_program.hpp"

#include <ATen/ATen.h>

#include <map>
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
  explicit Lowering(const PlainBlock& block) : block_(block), places_(static_cast<std::size_t>(block.nodes())) {
    program_.inputs = block.cell().inputs;
    place_nodes();
    program_.sources.resize(static_cast<std::size_t>(program_.nodes));
    for (const int node : block.cell().output) program_.output.push_back(whole(node));
  }

  std::optional<CellProgram> lower() {
    for (const PlainBlock::Step& step : block_.steps()) {
      if (const auto* module = std::get_if<Module>(&step.does)) {
        add(step, operation_of(whole(step.from), *module, [module](const at::Tensor& x, const Forward& how) {
              return module->forward(x, how);
            }, module->state()));
      } else if (const auto* named = std::get_if<OperatorInstance>(&step.does)) {
        add_named(step, *named);
      } else {
        const auto& mixed = std::get<PlainBlock::Mixed>(step.does);
        add_mixed(step, mixed);
        if (mixed.divisor != 1) add_passing(step, mixed);
      }
    }
    if (fused_ == 0) return std::nullopt;
    collect_parameters();
    return std::move(program_);
  }

 private:
  using OwnCode = std::function<at::Tensor(const at::Tensor&, const Forward&)>;

  /// Where a node of the block is in the program; -1: it has no such part.
  struct Places {
    int whole = -1;
    int first = -1;    ///< its first channels, which candidates read
    int others = -1;   ///< the channels behind them
    int sum = -1;      ///< what candidates of first channels sum up to
    int passing = -1;  ///< the sum of the channels that pass these by
  };

  /// Numbers the nodes so that each comes behind those that it is made of; the inputs come first.
  void place_nodes() {
    std::vector<bool> split(places_.size()), joined(places_.size());
    for (const PlainBlock::Step& step : block_.steps()) {
      const auto* mixed = std::get_if<PlainBlock::Mixed>(&step.does);
      if (mixed == nullptr || mixed->divisor == 1) continue;
      split[static_cast<std::size_t>(step.from)] = joined[static_cast<std::size_t>(step.to)] = true;
    }
    const auto inputs = static_cast<std::size_t>(program_.inputs);
    for (std::size_t s = 0; s < inputs; ++s) places_[s].whole = program_.nodes++;
    for (std::size_t s = 0; s < places_.size(); ++s) {
      if (joined[s]) places_[s].sum = program_.nodes++;
      if (joined[s]) places_[s].passing = program_.nodes++;
      if (s >= inputs) places_[s].whole = program_.nodes++;
      if (split[s]) places_[s].first = program_.nodes++;
      if (split[s]) places_[s].others = program_.nodes++;
    }
  }
  Places& place(int node) { return places_[static_cast<std::size_t>(node)]; }
  int whole(int node) { return place(node).whole; }

  CellProgram::Source& source(int node) { return program_.sources[static_cast<std::size_t>(node)]; }

  /// The channels that pass a choice by, and what splits and joins them.
  void add_passing(const PlainBlock::Step& step, const PlainBlock::Mixed& mixed) {
    const std::int64_t channels = mixed.spec.in, stride = mixed.spec.stride, others = (mixed.divisor - 1) * channels;
    const Places &from = place(step.from), &to = place(step.to);
    source(from.first) = CellProgram::Slice{from.whole, 0, channels};
    source(from.others) = CellProgram::Slice{from.whole, channels, others};
    source(to.passing) = CellProgram::Sum{from.others, others, stride};
    source(to.whole) = CellProgram::Interleaved{to.sum, to.passing, mixed.divisor};
    const auto [known, is_new] = passing_.try_emplace({step.from, stride}, program_.operations.size());
    if (is_new) {
      CellProgram::Operation& operation = program_.operations.emplace_back();
      operation.from = from.others;
      if (stride != 1)
        operation.own_code = [stride](const at::Tensor& x, const Forward&) { return passing_channels(x, stride); };
    }
    CellProgram::Term term;
    term.operation = known->second;
    term.to = to.passing;
    term.alphas = mixed.alphas;
    term.of_edge = true;
    program_.terms.push_back(term);
  }

  CellProgram::Operation operation_of(int from, const Module& module, OwnCode code,
                                      const std::vector<StateEntry>& state) {
    std::optional<Chain> chain = module.empty() ? std::nullopt : chain_of(module);
    if (!chain) return {from, {}, std::move(code), parameters_in(state)};
    fused_ += chain->empty() ? 0 : 1;
    return {from, std::move(*chain)};
  }

  void add_named(const PlainBlock::Step& step, const OperatorInstance& named) {
    // The shape is only asked for where nothing feeds the node; then its operations are zeros, which say their stride.
    if (is_zero(named)) {
      const std::int64_t stride = named.structure()->stages().front().stride[0];
      source(whole(step.to)) = CellProgram::Sum{whole(step.from), 0, stride};
      return;
    }
    add(step, operation_of(whole(step.from), named.module(), [&named](const at::Tensor& x, const Forward& how) {
          return named.forward(x, how);
        }, named.state()));
  }

  void add_mixed(const PlainBlock::Step& step, const PlainBlock::Mixed& mixed) {
    const bool partly = mixed.divisor != 1;
    const int from = partly ? place(step.from).first : whole(step.from);
    const int to = partly ? place(step.to).sum : whole(step.to);
    source(to) = CellProgram::Sum{from, mixed.spec.out, mixed.spec.stride};
    for (const std::size_t k : mixed.counted) {
      const Candidate& candidate = mixed.candidates[k];
      CellProgram::Term& term = add(step, operation_of(from, candidate.module(),
                                                       [&candidate](const at::Tensor& x, const Forward& how) {
                                                         return candidate.forward(x, how);
                                                       },
                                                       candidate.state()));
      term.to = to;
      term.alphas = mixed.alphas;
      term.candidate = k;
    }
  }

  /// A term of the node, on an operation of its own or on one that computes the same.
  CellProgram::Term& add(const PlainBlock::Step& step, CellProgram::Operation operation) {
    CellProgram::Term term;
    term.to = whole(step.to);
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
  std::vector<Places> places_;  // of each node of the block
  std::map<std::pair<int, std::int64_t>, std::size_t> passing_;  // by node and stride: the operation
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
