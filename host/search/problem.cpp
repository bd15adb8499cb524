#include "host/search/problem.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <set>
#include <utility>

#include "host/plugins/part_error.hpp"
#include "host/runtime/finite.hpp"
#include "mixop/draws.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kDraws = 1;  // beside the draws of the network, which are functions of the step's key as well

bool includes(Wrt leaves, Wrt one) { return leaves == one || leaves == Wrt::both; }

/// The weights with `values` scaled to the sums of each edge as their values, and no other graph than theirs.
at::Tensor with_sums_of(const at::Tensor& weights, const at::Tensor& values) {
  const at::Tensor own = weights.detach(), to = values.detach();
  const at::Tensor sum = to.sum(-1, /*keepdim=*/true), scale = own.sum(-1, /*keepdim=*/true) / sum.masked_fill(sum.eq(0), 1);
  return weights + (to * scale - own);
}

/// Which pass it was, behind the message of a part that failed in it.
std::string place_of(const LossPass& how) {
  const char* half = how.half == Half::train ? "training" : "validation";
  const char* leaves = how.leaves == Wrt::nothing ? "without gradients"
                       : how.leaves == Wrt::weights ? "for the weights"
                       : how.leaves == Wrt::alphas ? "for the alphas" : "for weights and alphas";
  return std::string("; in a pass on the ") + half + " half " + leaves;
}

void record(const std::vector<at::Tensor>& leaves, bool on) {
  for (const at::Tensor& leaf : leaves) leaf.set_requires_grad(on);
}

}  // namespace

std::vector<StateEntry> distinct_state(const Network& network) {
  std::vector<StateEntry> distinct;
  std::set<const void*> seen;
  for (const StateEntry& entry : network.state())
    if (seen.insert(entry.tensor.unsafeGetTensorImpl()).second) distinct.push_back(entry);
  return distinct;
}

std::vector<at::Tensor> parameters_of(const Network& network) {
  std::vector<at::Tensor> parameters;
  for (const StateEntry& entry : distinct_state(network))
    if (entry.kind == StateKind::parameter) parameters.push_back(entry.tensor);
  return parameters;
}

std::vector<std::size_t> tied_parameters(const Network& network) {
  std::map<const void*, int> names;
  for (const StateEntry& entry : network.state()) ++names[entry.tensor.unsafeGetTensorImpl()];
  const std::vector<at::Tensor> parameters = parameters_of(network);
  std::vector<std::size_t> tied;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (names[parameters[i].unsafeGetTensorImpl()] > 1) tied.push_back(i);
  return tied;
}

SearchProblem::SearchProblem(Network& network, std::vector<at::Tensor> alphas, const Composition& strategy,
                             const Sgd& optimizer)
    : network_(network),
      weights_(parameters_of(network)),
      alphas_(std::move(alphas)),
      tied_(tied_parameters(network)),
      strategy_(strategy),
      optimizer_(optimizer) {}

EpochPlan SearchProblem::plan() const {
  return ask("plan", &Schedule::plan, strategy_.part<Schedule>(), step_.at);
}

std::vector<Relaxed> SearchProblem::relaxed(Phase phase) const {
  const EpochPlan plan = this->plan();
  const DroppedOperations dropped = dropped_of(plan, network_.alphas());
  std::vector<Relaxed> all =
      relax(strategy_.part<Relaxation>(), network_.alphas(), alphas_, {step_.at, phase, step_.key}, dropped);
  apply_plan(plan, network_.alphas(), dropped, all);
  return all;
}

std::vector<Relaxed> SearchProblem::edge_weights(Wrt leaves) {
  const at::AutoGradMode grad(includes(leaves, Wrt::alphas));
  record(alphas_, includes(leaves, Wrt::alphas));
  return relaxed(Phase::train);
}

at::Tensor SearchProblem::loss(const std::vector<Relaxed>& edge_weights, const LossPass& how) {
  const at::AutoGradMode grad(how.leaves != Wrt::nothing);
  record(weights_, includes(how.leaves, Wrt::weights));
  record(alphas_, includes(how.leaves, Wrt::alphas));  // another loss may have come between edge_weights() and this one
  const bool train = how.half == Half::train;
  Pass pass;
  pass.update_statistics = how.update_statistics;
  pass.penalties = how.penalties;
  pass.key = step_.key;
  pass_ = place_of(how);
  const Outcome outcome = placing([&] { return pass_; }, [&] {
    return naming("the search network", "loss", [&] {
      return network_.loss(edge_weights, train ? step_.train : step_.valid, train ? states_.train : states_.valid, pass);
    });
  });
  if (how.carry) (train ? next_.train : next_.valid) = outcome.next;
  if (how.carry && train) {
    train_value_ = outcome.loss.detach();
    train_penalty_ = outcome.penalty.defined() ? outcome.penalty.detach() : at::Tensor();
    train_output_ = outcome.output.defined() ? outcome.output.detach() : at::Tensor();
  }
  return outcome.loss;
}

at::Tensor SearchProblem::alpha_term(const std::vector<Relaxed>& edge_weights) {
  std::vector<at::Tensor> alphas;
  std::vector<Relaxed> relaxed;
  for (std::size_t i = 0; i < alphas_.size(); ++i) {
    if (network_.alphas()[i].weighs) continue;
    alphas.push_back(alphas_[i]);
    relaxed.push_back(edge_weights[i]);
  }
  const Regulariser& regulariser = strategy_.part<Regulariser>();
  const at::Tensor term = ask("term", &Regulariser::term, regulariser, alphas, relaxed, step_.at);
  if (term.defined() && term.dim() != 0)
    throw PartError(ErrorCode::plugin, regulariser.called + ": term: expected a number without dimensions or an undefined tensor, found the shape " +
                                           c10::str(term.sizes()) + "; the plugin must be fixed");
  if (term.defined() && !is_finite(term)) throw NotFinite(regulariser.called + ": term: its value is not finite", /*by_part=*/true);
  return term;
}

std::vector<Relaxed> SearchProblem::smoothed(const std::vector<Relaxed>& edge_weights) {
  std::vector<Relaxed> smoothed =
      ask("smoothed", &Smoothing::smoothed, strategy_.part<Smoothing>(), *this, edge_weights, step_.at);
  const DroppedOperations dropped = dropped_of(plan(), network_.alphas());
  drop(dropped, smoothed);
  for (std::size_t set = 0; set < dropped.size(); ++set)
    if (dropped[set].defined()) smoothed[set].weights = with_sums_of(edge_weights[set].weights, smoothed[set].weights);
  return smoothed;
}

at::Tensor SearchProblem::uniform(const at::Tensor& like, std::uint64_t draw) {
  return uniform_numbers(like.sizes(), key_of({step_.key, kDraws, draw}), like);
}

std::vector<at::Tensor> SearchProblem::gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves) {
  return placing([&] { return pass_; }, [&] {
    return naming("the search network", "backward", [&] { return BilevelProblem::gradients(loss, leaves); });
  });
}

WeightStep SearchProblem::weight_step() const {
  return {step_.rate, optimizer_.momentum(), optimizer_.decay(), step_.clip, optimizer_.momenta()};
}

std::vector<Relaxed> SearchProblem::measured_weights(const SearchPosition& at, std::uint64_t key) {
  const at::NoGradGuard no_grad;
  step_.at = at;
  step_.key = key;
  return relaxed(Phase::evaluate);
}

Outcome SearchProblem::evaluate(const std::vector<Relaxed>& edge_weights, const Batch& batch,
                                const RecurrentState& state) {
  const at::NoGradGuard no_grad;
  Pass pass;
  pass.training = pass.update_statistics = false;
  return network_.loss(edge_weights, batch, state, pass);
}

}  // namespace mixop
