#include "host/plugins/operator_trials.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <vector>

#include "mixop/chain.hpp"
#include "mixop/operator_instance.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kBatch = 2;
constexpr std::int64_t kChannels = 4;
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
      : table_(table), name_(name), stride_(stride), recurrent_(table.domain == MIXOP_DOMAIN_RECURRENT) {
    at::manual_seed(7);
  }

  OperatorInstance make(bool affine = true) const { return {table_, name_, {kChannels, stride_, affine}}; }
  OperatorInstance make_double(bool affine = true) const {
    const OperatorInstance op = make(affine);
    for (const StateEntry& entry : op.state()) {
      at::Tensor tensor = entry.tensor;
      if (tensor.is_floating_point()) tensor.set_data(tensor.detach().to(at::kDouble));
    }
    return op;
  }
  at::Tensor input(std::int64_t side = kSide, at::ScalarType type = at::kFloat) const {
    if (recurrent_) return at::randn({kBatch, 3, kChannels}, at::TensorOptions(type));
    return at::randn({kBatch, kChannels, side, side}, at::TensorOptions(type));
  }
  std::vector<std::int64_t> shape(std::int64_t side = kSide) const {
    if (recurrent_) return {kBatch, 3, kChannels};
    const std::int64_t out = (side + stride_ - 1) / stride_;
    return {kBatch, kChannels, out, out};
  }
  bool recurrent() const { return recurrent_; }

 private:
  const MixopOperator& table_;
  const std::string& name_;
  std::int64_t stride_;
  bool recurrent_;
};

void try_shape(const Bench& bench) {
  for (const bool affine : {true, false}) {
    const OperatorInstance op = bench.make(affine);
    for (const Forward& how : {kTraining, kEvaluation}) require_shape(op.forward(bench.input(), how), bench.shape());
  }
}

// Some published operators take even sizes alone and say so; what succeeds must have the right shape.
void try_odd_shape(const Bench& bench) {
  const OperatorInstance op = bench.make();
  at::Tensor output;
  try {
    output = op.forward(bench.input(kOddSide), kTraining);
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

std::vector<at::Tensor> values_of(const OperatorInstance& op, StateKind kind) {
  std::vector<at::Tensor> values;
  for (const StateEntry& entry : op.state())
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
  const std::vector<at::Tensor> now = values_of(op, StateKind::buffer);
  for (std::size_t i = 0; i < now.size(); ++i)
    if (!at::equal(now[i], before[i])) fail(what + " changed buffer " + std::to_string(i));
}

void try_statistics(const Bench& bench) {
  const OperatorInstance op = bench.make();
  const at::Tensor input = bench.input();
  const std::vector<at::Tensor> before = values_of(op, StateKind::buffer);
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
  }
  const at::Tensor expected = op.forward(input, kEvaluation);
  std::vector<at::Tensor> kept;
  for (const StateEntry& entry : op.state()) {
    kept.push_back(entry.tensor.detach().clone());
    if (entry.tensor.is_floating_point()) entry.tensor.detach().add_(0.5);
  }
  const bool has_parameters = !values_of(op, StateKind::parameter).empty();
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

template <class Module>
Pass pass_of(const Module& module, const OperatorInstance& op, const at::Tensor& input, const Forward& how) {
  const std::vector<at::Tensor> before = values_of(op, StateKind::buffer);
  Pass pass{module.forward(input, how), values_of(op, StateKind::buffer)};
  auto value = before.begin();
  for (const StateEntry& entry : op.state())
    if (entry.kind == StateKind::buffer) entry.tensor.detach().copy_(*value++);
  return pass;
}

void require_alike(const at::Tensor& told, const at::Tensor& run, const std::string& what) {
  const std::string lie = "its structure gives another " + what + " than its forward";
  if (told.sizes() != run.sizes())
    fail(lie + ": shape " + text_of(told.sizes()) + " instead of " + text_of(run.sizes()));
  if (run.numel() == 0) return;
  const double most = (told - run).abs().max().to(at::kDouble).item<double>();
  if (most <= kStructureTolerance * std::max(1.0, run.abs().max().to(at::kDouble).item<double>())) return;
  std::ostringstream text;
  text << lie << "; the largest difference is " << most
       << ". Supernets run the structure: tell the stages that forward runs, or none";
  fail(text.str());
}

void compare_structure(const OperatorInstance& op, const at::Tensor& input) {
  const Chain chain(op.structure(), op.state());
  const std::pair<Forward, std::string> passes[] = {
      {kTraining, "training"}, {{true, true, kKey}, "training"}, {kEvaluation, "evaluation"}};
  for (const auto& [how, mode] : passes) {
    const Pass run = pass_of(op, op, input, how);
    const Pass told = pass_of(chain, op, input, how);
    require_alike(told.output, run.output, "output in " + mode);
    std::size_t buffer = 0;
    for (const StateEntry& entry : op.state()) {
      if (entry.kind != StateKind::buffer) continue;
      require_alike(told.buffers[buffer], run.buffers[buffer], "'" + entry.name + "' after " + mode);
      ++buffer;
    }
  }
}

// Supernets run the structure in the place of forward. Without one there is nothing to compare.
void try_structure(const Bench& bench) {
  const at::NoGradGuard no_grad;
  for (const bool affine : {true, false}) {
    const OperatorInstance op = bench.make_double(affine);
    if (op.structure().empty()) return;
    // Initial ones and zeros would hide a norm whose tensors are mixed up.
    for (const StateEntry& entry : op.state())
      if (entry.tensor.is_floating_point()) entry.tensor.detach().add_(at::rand_like(entry.tensor));
    compare_structure(op, bench.input(kSide, at::kDouble));
  }
}

void try_cost(const Bench& bench) {
  const ImageShape shape = bench.recurrent() ? ImageShape{kChannels, 1, 1} : ImageShape{kChannels, kSide, kSide};
  const Cost cost = bench.make().cost(shape);
  if (cost.multiply_adds < 0) fail("its cost names " + std::to_string(cost.multiply_adds) + " multiply-adds");
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
    if (!recurrent) run(bench, name, "shape of odd sizes" + suffix, try_odd_shape, report);
    run(bench, name, "gradient of the input" + suffix, try_input_gradient, report);
    run(bench, name, "gradients of the parameters" + suffix, try_parameter_gradients, report);
    run(bench, name, "determinism" + suffix, try_determinism, report);
    run(bench, name, "statistics" + suffix, try_statistics, report);
    run(bench, name, "input is kept" + suffix, try_input_kept, report);
    run(bench, name, "state round trip" + suffix, try_state, report);
    run(bench, name, "structure" + suffix, try_structure, report);
    run(bench, name, "cost" + suffix, try_cost, report);
  }
}

}  // namespace mixop
