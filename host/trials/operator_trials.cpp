#include "host/trials/operator_trials.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "host/runtime/operator_instance.hpp"
#include "host/search/stored_tensor.hpp"
#include "mixop/abi/ext/trials.h"
#include "mixop/structure_size.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kBatch = 2;
constexpr std::int64_t kSide = 8;
constexpr std::int64_t kOddSide = 7;
constexpr std::uint64_t kKey = 17;
constexpr double kStep = 1e-6;
// Central differences with that step are good to about 1e-9 of the values here; kinks are met almost never.
constexpr double kTolerance = 1e-5;
// What double precision leaves between two orders of the same sums.
constexpr double kStructureTolerance = 1e-10;
constexpr std::int64_t kEntriesOfInput = 12;
constexpr std::int64_t kEntriesOfParameter = 4;

const Target kDouble{at::kCPU, at::kDouble};
constexpr Forward kTraining{true, false, kKey};
constexpr Forward kEvaluation{false, false, kKey};

[[noreturn]] void fail(const std::string& detail) { throw Error(ErrorCode::plugin, detail); }

std::string text_of(at::IntArrayRef sizes) {
  std::ostringstream text;
  text << sizes;
  return text.str();
}

void require_shape(const at::Tensor& output, const std::vector<std::int64_t>& expected) {
  if (output.sizes() != at::IntArrayRef(expected))
    fail("expected an output of shape " + text_of(expected) + ", found " + text_of(output.sizes()));
  if (!at::isfinite(output).all().item<bool>()) fail("the output has values that are not finite");
}

// The instances and tensors that the trials of one operator and stride work on.
class Bench {
 public:
  Bench(const MixopOperator& table, const std::string& name, std::int64_t stride)
      : table_(table),
        name_(name),
        stride_(stride),
        unit_(std::max<std::int64_t>(2, hints().channel_multiple)),
        recurrent_(table.domain == MIXOP_DOMAIN_RECURRENT) {
    at::manual_seed(7);
  }

  std::int64_t channels() const { return 2 * unit_; }
  /// More of them, and fewer.
  std::vector<std::int64_t> other_channels() const { return {3 * unit_, unit_}; }
  bool gradient_is_estimate() const { return hints().gradient_is_estimate != 0; }
  OpSpec spec(bool affine = true) const { return spec(affine, channels()); }
  OpSpec spec(bool affine, std::int64_t out) const { return {channels(), out, stride_, affine}; }
  OperatorInstance make(const OpSpec& spec) const { return {table_, name_, spec}; }
  OperatorInstance make() const { return make(spec()); }
  OperatorInstance make_double(bool affine = true) const { return {table_, name_, spec(affine), kDouble}; }
  at::Tensor input(std::int64_t side = kSide, at::ScalarType type = at::kFloat) const {
    if (recurrent_) return at::randn({kBatch, 3, channels()}, at::TensorOptions(type));
    return at::randn({kBatch, channels(), side, side}, at::TensorOptions(type));
  }
  std::vector<std::int64_t> shape(std::int64_t side = kSide) const { return shape(side, channels()); }
  std::vector<std::int64_t> shape(std::int64_t side, std::int64_t channels) const {
    if (recurrent_) return {kBatch, 3, channels};
    const std::int64_t out = (side + stride_ - 1) / stride_;
    return {kBatch, channels, out, out};
  }
  ImageShape image() const {
    return recurrent_ ? ImageShape{channels(), 1, 1} : ImageShape{channels(), kSide, kSide};
  }
  bool recurrent() const { return recurrent_; }
  const MixopOperator& table() const { return table_; }
  const std::string& name() const { return name_; }

 private:
  MixopTrials hints() const {
    const auto* told = extension_of<MixopTrials>(table_, MIXOP_TRIALS_EXTENSION);
    return told == nullptr ? MixopTrials{} : *told;
  }

  const MixopOperator& table_;
  const std::string& name_;
  std::int64_t stride_;
  std::int64_t unit_;
  bool recurrent_;
};

void try_shape(const Bench& bench) {
  for (const bool affine : {true, false}) {
    const OperatorInstance op = bench.make(bench.spec(affine));
    for (const Forward& how : {kTraining, kEvaluation}) require_shape(op.forward(bench.input(), how), bench.shape());
  }
}

// The operator with another number of channels out than in; nothing where it says that it does not serve that.
std::optional<OperatorInstance> with_other_channels(const Bench& bench, std::int64_t out) {
  try {
    return bench.make(bench.spec(true, out));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unsupported) return std::nullopt;
    throw;
  }
}

void try_other_channels(const Bench& bench) {
  for (const std::int64_t out : bench.other_channels()) {
    const std::optional<OperatorInstance> op = with_other_channels(bench, out);
    if (!op) continue;
    const std::string asked =
        "asked for " + std::to_string(bench.channels()) + " channels in and " + std::to_string(out) + " out: ";
    try {
      if (bench.recurrent()) fail("a recurrent operator keeps the width, and was made");
      for (const Forward& how : {kTraining, kEvaluation})
        require_shape(op->forward(bench.input(), how), bench.shape(kSide, out));
    } catch (const std::exception& error) {
      fail(asked + first_paragraph(error.what()) + ". Serve such specs, or throw an Error of code unsupported");
    }
  }
}

// Some published operators take even sizes alone and say so; what succeeds must have the right shape.
void try_odd_shape(const Bench& bench) {
  const OperatorInstance op = bench.make();
  at::Tensor output;
  try {
    output = op.forward(bench.input(kOddSide), kTraining);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::plugin) throw;
    return;
  } catch (const std::exception&) {
    return;
  }
  require_shape(output, bench.shape(kOddSide));
}

void require_equal(const at::Tensor& found, const at::Tensor& expected, const std::string& problem) {
  if (!at::equal(found, expected))
    fail(problem + "; the largest difference is " +
         std::to_string((found - expected).abs().max().to(at::kDouble).item<double>()));
}

std::vector<at::Tensor> values_of(const std::vector<StateEntry>& state, StateKind kind) {
  std::vector<at::Tensor> values;
  for (const StateEntry& entry : state)
    if (entry.kind == kind) values.push_back(entry.tensor.detach().clone());
  return values;
}

void try_determinism(const Bench& bench) {
  const OperatorInstance op = bench.make();
  const at::Tensor input = bench.input();
  for (const Forward& how : {kTraining, kEvaluation})
    require_equal(op.forward(input, how), op.forward(input, how),
                  "two passes with the same input and key differ. Draw random numbers from the key alone");
}

void require_same_buffers(const OperatorInstance& op, const std::vector<at::Tensor>& before, const std::string& what) {
  const std::vector<at::Tensor> now = values_of(op.state(), StateKind::buffer);
  for (std::size_t i = 0; i < now.size(); ++i)
    if (!at::equal(now[i], before[i])) fail(what + " changed buffer " + std::to_string(i));
}

void try_statistics(const Bench& bench) {
  const OperatorInstance op = bench.make();
  const at::Tensor input = bench.input();
  const std::vector<at::Tensor> before = values_of(op.state(), StateKind::buffer);
  op.forward(input, kTraining);
  require_same_buffers(op, before, "a training pass with update_statistics = 0");
  op.forward(input, kEvaluation);
  require_same_buffers(op, before, "an evaluation pass");
  require_shape(op.forward(input, {true, true, kKey}), bench.shape());
}

void try_input_kept(const Bench& bench) {
  const OperatorInstance op = bench.make();
  const at::Tensor input = bench.input();
  const at::Tensor before = input.clone();
  op.forward(input, kTraining);
  require_equal(input, before, "the forward pass changed its input, which is borrowed");
}

void try_state(const Bench& bench) {
  const at::NoGradGuard no_grad;
  const OperatorInstance op = bench.make();
  const at::Tensor input = bench.input();
  std::set<std::string> names;
  for (const StateEntry& entry : op.state()) {
    if (entry.name.empty() || !names.insert(entry.name).second)
      fail("the state name '" + entry.name + "' is empty or stands twice");
    if (!entry.tensor.defined()) fail("the state '" + entry.name + "' has no tensor");
    if (entry.kind == StateKind::parameter && !entry.tensor.is_floating_point())
      fail("the parameter '" + entry.name + "' has elements of type " + at::toString(entry.tensor.scalar_type()) +
           ", which have no gradient; make it a buffer");
    if (!entry.tensor.is_floating_point() && !is_storable(entry.tensor.scalar_type()))
      fail("the state '" + entry.name + "' has elements of type " + at::toString(entry.tensor.scalar_type()) +
           ", which archives do not hold; expected floating-point numbers or whole ones of type Byte, Int or Long");
  }
  const at::Tensor expected = op.forward(input, kEvaluation);
  std::vector<at::Tensor> kept;
  for (const StateEntry& entry : op.state()) {
    kept.push_back(entry.tensor.detach().clone());
    if (entry.tensor.is_floating_point()) entry.tensor.detach().add_(0.5);
  }
  const bool has_parameters = !values_of(op.state(), StateKind::parameter).empty();
  if (has_parameters && at::equal(op.forward(input, kEvaluation), expected))
    fail("changing every parameter in place does not change the output. Hand out the live tensors, not copies");
  for (std::size_t i = 0; i < kept.size(); ++i) op.state()[i].tensor.detach().copy_(kept[i]);
  require_equal(op.forward(input, kEvaluation), expected, "the output differs once the state is copied back");
}

// The loss whose gradient is compared: a fixed random projection of the output.
double loss_value(const OperatorInstance& op, const at::Tensor& input, const at::Tensor& projection) {
  const at::NoGradGuard no_grad;
  return (op.forward(input, kTraining) * projection).sum().item<double>();
}

// Compares `count` entries of a gradient with central differences in `leaf`, which is changed in place and restored.
void compare_gradient(const OperatorInstance& op, const at::Tensor& input, const at::Tensor& projection,
                      const at::Tensor& leaf, const at::Tensor& gradient, std::int64_t count, const std::string& what) {
  const at::Tensor flat = leaf.detach().view(-1);
  const at::Tensor analytic = gradient.defined() ? gradient.reshape(-1) : at::zeros_like(flat);
  const std::int64_t entries = flat.numel();
  for (std::int64_t i = 0; i < std::min(count, entries); ++i) {
    const std::int64_t at_entry = (i * 7919 + 3) % entries;
    const at::Tensor entry = flat[at_entry];
    const double value = entry.item<double>();
    entry.fill_(value + kStep);
    const double above = loss_value(op, input, projection);
    entry.fill_(value - kStep);
    const double below = loss_value(op, input, projection);
    entry.fill_(value);
    const double numeric = (above - below) / (2 * kStep);
    const double found = analytic[at_entry].item<double>();
    if (!(std::abs(numeric - found) <= kTolerance * std::max(1.0, std::abs(numeric))))
      fail("entry " + std::to_string(at_entry) + " of the gradient of " + what + ": expected " +
           std::to_string(numeric) + " (finite differences in double), found " + std::to_string(found));
  }
}

struct Gradients {
  OperatorInstance op;
  at::Tensor input;
  at::Tensor projection;
  std::vector<at::Tensor> leaves;  // the input, then the parameters
  std::vector<at::Tensor> values;  // undefined: no path from the output
};

Gradients gradients_of(const Bench& bench) {
  Gradients all{bench.make_double(), bench.input(kSide, at::kDouble).contiguous(), {}, {}, {}};
  all.input.requires_grad_(true);
  all.leaves = {all.input};
  for (const StateEntry& entry : all.op.state()) {
    if (entry.kind != StateKind::parameter) continue;
    at::Tensor tensor = entry.tensor;
    all.leaves.push_back(tensor.set_requires_grad(true));
  }
  const at::Tensor output = all.op.forward(all.input, kTraining);
  if (output.scalar_type() != at::kDouble) fail("expected a double output of a double input, found another type");
  all.projection = at::randn_like(output.detach());
  all.values.resize(all.leaves.size());
  if (output.requires_grad())
    all.values = torch::autograd::grad({(output * all.projection).sum()}, all.leaves, {}, c10::nullopt, false, true);
  return all;
}

/// The tensors that gradients of `output` are accumulated into.
std::vector<at::Tensor> leaves_behind(const at::Tensor& output) {
  std::vector<at::Tensor> leaves;
  std::set<const torch::autograd::Node*> seen;
  using NodePointer = decltype(torch::autograd::Edge::function);  // of later versions another than of earlier ones
  std::vector<NodePointer> left{output.grad_fn()};
  while (!left.empty()) {
    const NodePointer node = left.back();
    left.pop_back();
    if (node == nullptr || !seen.insert(node.get()).second) continue;
    if (const auto* leaf = dynamic_cast<const torch::autograd::AccumulateGrad*>(node.get())) leaves.push_back(leaf->variable);
    for (const torch::autograd::Edge& edge : node->next_edges()) left.push_back(edge.function);
  }
  return leaves;
}

void try_registered(const Bench& bench) {
  const OperatorInstance op = bench.make();
  for (const StateEntry& entry : op.state()) entry.tensor.set_requires_grad(false);
  const at::Tensor output = op.forward(bench.input(), kTraining);
  if (!output.requires_grad()) return;
  for (const at::Tensor& leaf : leaves_behind(output))
    for (const StateEntry& entry : op.state())
      if (leaf.is_alias_of(entry.tensor))
        fail("its result depends on another tensor over the memory of '" + entry.name +
             "' than the one that its state names, so a search would step it and see no gradient; give the state the very tensor "
             "that forward reads");
  fail(
      "its result depends on parameters that its state lacks, which no search would train or archive. Register them: "
      "modules of a module by register_module, parameters by register_parameter");
}

// Nothing to compare with: its own code says that they are not forward's.
void try_estimate(const Bench& bench) {
  const Gradients all = gradients_of(bench);
  for (const at::Tensor& gradient : all.values)
    if (gradient.defined() && !gradient.isfinite().all().item<bool>())
      fail("a gradient, which it declares to be an estimate, has values that are not finite");
}

void try_input_gradient(const Bench& bench) {
  const Gradients all = gradients_of(bench);
  compare_gradient(all.op, all.input, all.projection, all.input, all.values[0], kEntriesOfInput, "the input");
}

void try_parameter_gradients(const Bench& bench) {
  const Gradients all = gradients_of(bench);
  std::size_t leaf = 0;
  for (const StateEntry& entry : all.op.state()) {
    if (entry.kind != StateKind::parameter) continue;
    ++leaf;
    compare_gradient(all.op, all.input, all.projection, all.leaves[leaf], all.values[leaf], kEntriesOfParameter,
                     "parameter '" + entry.name + "'");
  }
}

// What a pass gives: its output, and the buffers as it leaves them.
struct Pass {
  at::Tensor output;
  std::vector<at::Tensor> buffers;
};

// Leaves the buffers as they were.
template <class Runs>
Pass pass_of(const Runs& runs, const std::vector<StateEntry>& state, const at::Tensor& input, const Forward& how) {
  const std::vector<at::Tensor> before = values_of(state, StateKind::buffer);
  Pass pass{runs.forward(input, how), values_of(state, StateKind::buffer)};
  auto value = before.begin();
  for (const StateEntry& entry : state)
    if (entry.kind == StateKind::buffer) entry.tensor.detach().copy_(*value++);
  return pass;
}

std::string text_of(const StateEntry& entry) {
  return (entry.kind == StateKind::parameter ? "parameter '" : "buffer '") + entry.name + "' of shape " +
         text_of(entry.tensor.sizes());
}

// The host loads, stores and counts a description's state under the names of the operator's own.
void require_same_state(const std::vector<StateEntry>& described, const std::vector<StateEntry>& own) {
  for (std::size_t i = 0; i < std::max(described.size(), own.size()); ++i) {
    const std::string in_structure = i < described.size() ? text_of(described[i]) : "none";
    const std::string in_state = i < own.size() ? text_of(own[i]) : "none";
    if (in_structure != in_state)
      fail("its structure has other state than it has: at place " + std::to_string(i) + " " + in_structure +
           " instead of " + in_state);
  }
}

void require_equal_values(const at::Tensor& described, const at::Tensor& run, const std::string& what) {
  const std::string problem = "its structure gives another " + what + " than its forward";
  if (described.sizes() != run.sizes())
    fail(problem + ": shape " + text_of(described.sizes()) + " instead of " + text_of(run.sizes()));
  if (run.numel() == 0) return;
  const double most = (described - run).abs().max().to(at::kDouble).item<double>();
  if (most <= kStructureTolerance * std::max(1.0, run.abs().max().to(at::kDouble).item<double>())) return;
  std::ostringstream text;
  text << problem << "; the largest difference is " << most << ". Describe what forward computes, or nothing";
  fail(text.str());
}

void compare_structure(const OperatorInstance& op, const at::Tensor& input) {
  const Module described(op.structure().value(), kDouble);
  require_same_state(described.state(), op.state());
  for (std::size_t i = 0; i < op.state().size(); ++i)
    described.state()[i].tensor.detach().copy_(op.state()[i].tensor);
  const std::pair<Forward, std::string> passes[] = {
      {kTraining, "training"}, {{true, true, kKey}, "training"}, {kEvaluation, "evaluation"}};
  for (const auto& [how, mode] : passes) {
    const Pass own = pass_of(op, op.state(), input, how);
    const Pass told = pass_of(described, described.state(), input, how);
    require_equal_values(told.output, own.output, "output in " + mode);
    std::size_t buffer = 0;
    for (const StateEntry& entry : op.state()) {
      if (entry.kind != StateKind::buffer) continue;
      require_equal_values(told.buffers[buffer], own.buffers[buffer], "'" + entry.name + "' after " + mode);
      ++buffer;
    }
  }
}

// The host counts and exports the structure of an operator that runs its own code. Without both there is nothing to
// compare.
void try_structure(const Bench& bench) {
  const at::NoGradGuard no_grad;
  for (const bool affine : {true, false}) {
    const OperatorInstance op = bench.make_double(affine);
    if (!op.structure() || !op.has_own_code()) return;
    // Initial ones and zeros would hide a norm whose tensors are mixed up.
    for (const StateEntry& entry : op.state())
      if (entry.tensor.is_floating_point()) entry.tensor.detach().add_(at::rand_like(entry.tensor));
    compare_structure(op, bench.input(kSide, at::kDouble));
  }
}

void require_parameters(std::int64_t counted, const OperatorInstance& op, const std::string& whose) {
  std::int64_t held = 0;
  for (const StateEntry& entry : op.state())
    if (entry.kind == StateKind::parameter) held += entry.tensor.numel();
  if (counted != held)
    fail("its " + whose + " counts " + std::to_string(counted) + " parameters; its state holds " +
         std::to_string(held));
}

void try_cost(const Bench& bench) {
  const OperatorInstance op = bench.make();
  if (op.structure()) require_parameters(size_of(*op.structure(), bench.image()).parameters, op, "structure");
  const auto cost = cost_of(bench.table(), bench.name(), bench.spec(), bench.image());
  if (!cost) return;
  if (cost->multiply_adds < 0 || cost->activations < 0)
    fail("its cost names " + std::to_string(cost->multiply_adds) + " multiply-adds and " +
         std::to_string(cost->activations) + " activations; expected none below zero");
  require_parameters(cost->parameters, op, "cost");
}

using TrialBody = void (*)(const Bench&);

void run(const Bench& bench, const std::string& component, const std::string& name, TrialBody body,
         const TrialSink& report) {
  Trial trial{component, name, true, ""};
  try {
    body(bench);
  } catch (const std::exception& error) {
    trial = {component, name, false, first_paragraph(error.what())};
  }
  report(trial);
}

}  // namespace

void try_operator(const MixopOperator& table, const std::string& name, const TrialSink& report) {
  const bool recurrent = table.domain == MIXOP_DOMAIN_RECURRENT;
  for (const std::int64_t stride : {1, 2}) {
    if (recurrent && stride != 1) continue;
    const std::string suffix = recurrent ? "" : ", stride " + std::to_string(stride);
    const Bench bench(table, name, stride);
    run(bench, name, "shape in training and evaluation" + suffix, try_shape, report);
    run(bench, name, "channels in and out" + suffix, try_other_channels, report);
    if (!recurrent) run(bench, name, "shape of odd sizes" + suffix, try_odd_shape, report);
    if (bench.gradient_is_estimate()) {
      run(bench, name, "gradients, declared to be estimates" + suffix, try_estimate, report);
    } else {
      run(bench, name, "gradient of the input" + suffix, try_input_gradient, report);
      run(bench, name, "gradients of the parameters" + suffix, try_parameter_gradients, report);
    }
    run(bench, name, "parameters are registered" + suffix, try_registered, report);
    run(bench, name, "determinism" + suffix, try_determinism, report);
    run(bench, name, "statistics" + suffix, try_statistics, report);
    run(bench, name, "input is kept" + suffix, try_input_kept, report);
    run(bench, name, "state round trip" + suffix, try_state, report);
    run(bench, name, "structure" + suffix, try_structure, report);
    run(bench, name, "cost" + suffix, try_cost, report);
  }
}

}  // namespace mixop
