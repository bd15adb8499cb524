#include "host/search/problem.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace mixop {
namespace {

bool includes(Wrt leaves, Wrt one) { return leaves == one || leaves == Wrt::both; }

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

void convert(const Network& network, at::ScalarType type, at::Device device) {
  for (const StateEntry& entry : network.state()) {
    at::Tensor shared = entry.tensor;
    shared.set_data(shared.is_floating_point() ? shared.detach().to(device, type) : shared.detach().to(device));
  }
}

EdgeWeights expand(const std::vector<AlphaDeclaration>& declarations, const std::vector<at::Tensor>& relaxed) {
  int cells = 0;
  for (const AlphaDeclaration& declaration : declarations)
    for (const int cell : declaration.cells) cells = std::max(cells, cell + 1);
  EdgeWeights weights(static_cast<std::size_t>(cells));
  for (std::size_t i = 0; i < declarations.size(); ++i)
    for (std::size_t row = 0; row < declarations[i].cells.size(); ++row)
      weights[static_cast<std::size_t>(declarations[i].cells[row])] =
          declarations[i].per_cell ? relaxed[i][static_cast<std::int64_t>(row)] : relaxed[i];
  return weights;
}

SearchProblem::SearchProblem(Network& network, std::vector<at::Tensor> alphas, const Relaxation& relaxation,
                             const Regulariser& regulariser, const Sgd& optimizer)
    : network_(network),
      weights_(parameters_of(network)),
      alphas_(std::move(alphas)),
      tied_(tied_parameters(network)),
      relaxation_(relaxation),
      regulariser_(regulariser),
      optimizer_(optimizer) {}

std::vector<at::Tensor> SearchProblem::relaxed() const {
  std::vector<at::Tensor> result;
  for (const at::Tensor& alpha : alphas_) result.push_back(relaxation_.weights(alpha, step_.at, step_.key));
  return result;
}

Outcome SearchProblem::run(const Batch& batch, const RecurrentState& state, const std::vector<at::Tensor>& relaxed,
                           Wrt leaves, const Pass& pass) {
  record(weights_, includes(leaves, Wrt::weights));
  return network_.loss(expand(network_.alphas(), relaxed), batch, state, pass);
}

Outcome SearchProblem::train_pass(Wrt leaves, const Pass& pass) {
  const at::AutoGradMode grad(leaves != Wrt::nothing);
  record(alphas_, includes(leaves, Wrt::alphas));
  return run(step_.train, states_.train, relaxed(), leaves, pass);
}

at::Tensor SearchProblem::train_loss(Wrt leaves, bool update_statistics) {
  Pass pass;
  pass.update_statistics = update_statistics;
  pass.key = step_.key;
  return train_pass(leaves, pass).loss;
}

at::Tensor SearchProblem::weight_loss() {
  Pass pass;
  pass.penalties = true;
  pass.key = step_.key;
  const Outcome outcome = train_pass(Wrt::weights, pass);
  train_output_ = outcome.output.defined() ? outcome.output.detach() : at::Tensor();
  next_.train = outcome.next;
  return outcome.loss;
}

at::Tensor SearchProblem::valid_loss(Wrt leaves, bool update_statistics) {
  const at::AutoGradMode grad(leaves != Wrt::nothing);
  record(alphas_, includes(leaves, Wrt::alphas));
  const std::vector<at::Tensor> weights = relaxed();
  Pass pass;
  pass.update_statistics = update_statistics;
  pass.key = step_.key;
  const Outcome outcome = run(step_.valid, states_.valid, weights, leaves, pass);
  next_.valid = outcome.next;
  const at::Tensor term = regulariser_.term(alphas_, weights, step_.at);
  return term.defined() ? outcome.loss + term : outcome.loss;
}

WeightStep SearchProblem::weight_step() const {
  return {step_.rate, optimizer_.momentum(), optimizer_.decay(), step_.clip, optimizer_.momenta()};
}

Outcome SearchProblem::evaluate(const Batch& batch, const RecurrentState& state, const SearchPosition& at,
                                std::uint64_t key) {
  const at::NoGradGuard no_grad;
  step_.at = at;
  step_.key = key;
  Pass pass;
  pass.training = pass.update_statistics = false;
  return network_.loss(expand(network_.alphas(), relaxed()), batch, state, pass);
}

}  // namespace mixop
