#include "host/search/problem.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kDraws = 1;  // beside the draws of the network, which are functions of the step's key as well

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
    for (std::size_t cell = 0; cell < declarations[i].cells.size(); ++cell)
      weights[static_cast<std::size_t>(declarations[i].cells[cell])] =
          declarations[i].per_cell ? relaxed[i][declarations[i].row_of(cell)] : relaxed[i];
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

std::vector<at::Tensor> SearchProblem::edge_weights(Wrt leaves) {
  const at::AutoGradMode grad(includes(leaves, Wrt::alphas));
  record(alphas_, includes(leaves, Wrt::alphas));
  return relaxed();
}

at::Tensor SearchProblem::loss(const std::vector<at::Tensor>& edge_weights, const LossPass& how) {
  const at::AutoGradMode grad(how.leaves != Wrt::nothing);
  record(weights_, includes(how.leaves, Wrt::weights));
  record(alphas_, includes(how.leaves, Wrt::alphas));  // another loss may have come between edge_weights() and this one
  const bool train = how.half == Half::train;
  Pass pass;
  pass.update_statistics = how.update_statistics;
  pass.penalties = how.penalties;
  pass.key = step_.key;
  const Outcome outcome = network_.loss(expand(network_.alphas(), edge_weights), train ? step_.train : step_.valid,
                                        train ? states_.train : states_.valid, pass);
  if (how.carry) (train ? next_.train : next_.valid) = outcome.next;
  if (how.carry && train) {
    train_value_ = outcome.loss.detach();
    train_penalty_ = outcome.penalty.defined() ? outcome.penalty.detach() : at::Tensor();
    train_output_ = outcome.output.defined() ? outcome.output.detach() : at::Tensor();
  }
  return outcome.loss;
}

at::Tensor SearchProblem::alpha_term(const std::vector<at::Tensor>& edge_weights) {
  return regulariser_.term(alphas_, edge_weights, step_.at);
}

at::Tensor SearchProblem::uniform(const at::Tensor& like, std::uint64_t draw) {
  RandomStream random(key_of({step_.key, kDraws, draw}));
  std::vector<double> numbers(static_cast<std::size_t>(like.numel()));
  for (double& number : numbers) number = random.uniform();
  return at::tensor(numbers, at::kDouble).view(like.sizes()).to(like.options().requires_grad(false));
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
