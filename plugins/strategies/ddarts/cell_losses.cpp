#include "cell_losses.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

namespace mixop::ddarts {
namespace {

using Tensors = std::vector<at::Tensor>;

constexpr double kSmallestMean = 1e-8;  // of the marginal contributions: below, the ablation term is 0

/// The alphas of one cell: a whole tensor, or one of its rows.
struct Table {
  std::size_t tensor;
  std::int64_t row;  // -1: the whole tensor

  at::Tensor of(const Tensors& alphas) const { return row < 0 ? alphas[tensor] : alphas[tensor].select(0, row); }
  at::Tensor of(const std::vector<Relaxed>& relaxed) const {
    const at::Tensor& weights = relaxed[tensor].weights;
    return row < 0 ? weights : weights.select(0, row);
  }
  /// `relaxed` with this cell's edge weights replaced, which cuts the cell off the graph.
  std::vector<Relaxed> replaced(std::vector<Relaxed> relaxed, const at::Tensor& by) const {
    at::Tensor& weights = relaxed[tensor].weights;
    weights = row < 0 ? by : at::select_scatter(weights, by, 0, row);
    return relaxed;
  }
};

std::vector<Table> tables_of(const Tensors& alphas) {
  std::vector<Table> tables;
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    const bool per_cell = alphas[i].dim() == 3;
    for (std::int64_t row = 0; row < (per_cell ? alphas[i].size(0) : 1); ++row)
      tables.push_back({i, per_cell ? row : -1});
  }
  return tables;
}

double weight_option(const Options& options, const char* name) {
  const double weight = options.real(name);
  if (!(weight >= 0) || std::isinf(weight))
    throw Error(ErrorCode::usage,
                std::string("ddarts.") + name + ": expected a number from 0 on, found " + options.text(name));
  return weight;
}

/// Whether an option of two choices has the second one.
bool is_second(const Options& options, const char* name, const std::string& first, const std::string& second) {
  const std::string& found = options.text(name);
  if (found != first && found != second)
    throw Error(ErrorCode::usage,
                std::string("ddarts.") + name + ": expected " + first + " or " + second + ", found '" + found + "'");
  return found == second;
}

}  // namespace

CellLosses::CellLosses(const Options& options)
    : published_(is_second(options, "mode", "paper", "published-code")),
      squared_(!is_second(options, "zero_one", "conv", "tri")),
      zero_one_weight_(weight_option(options, "zero_one_weight")),
      ablation_weight_(weight_option(options, "ablation_weight")) {}

at::Tensor CellLosses::zero_one(const at::Tensor& relaxed) const {
  const at::Tensor distance = relaxed - 0.5;
  // LibTorch's abs() does not run on the meta device.
  return -(squared_ ? distance.square() : distance * distance.detach().sign()).mean();
}

/// Of scale * a * (sum of all cells' zero-one terms) and the regulariser.
Tensors CellLosses::term_gradients(BilevelProblem& problem, double scale) const {
  const std::vector<Relaxed> relaxed = problem.edge_weights(Wrt::alphas);
  at::Tensor sum = problem.alpha_term(relaxed);
  for (const Table& table : tables_of(problem.alphas())) {
    const at::Tensor term = scale * zero_one_weight_ * zero_one(table.of(relaxed));
    sum = sum.defined() ? sum + term : term;
  }
  return problem.gradients(sum, problem.alphas());
}

Tensors CellLosses::alpha_gradients(BilevelProblem& problem) {
  const Wrt leaves = published_ ? Wrt::both : Wrt::alphas;
  const at::Tensor loss = problem.loss(problem.edge_weights(leaves), {Half::valid, leaves, /*update_statistics=*/true,
                                                                      /*penalties=*/false, /*carry=*/true});
  Tensors leaves_of_loss = problem.alphas();
  if (published_) leaves_of_loss.insert(leaves_of_loss.end(), problem.weights().begin(), problem.weights().end());
  Tensors direct = problem.gradients(loss, leaves_of_loss);
  valid_weights_.assign(direct.begin() + static_cast<std::ptrdiff_t>(problem.alphas().size()), direct.end());
  direct.resize(problem.alphas().size());

  Tensors own = term_gradients(problem, 1);
  at::_foreach_add_(own, direct);
  if (ablation_weight_ != 0) add_ablation(problem, loss.detach(), direct, own);
  return published_ ? pile_up(problem, direct, own) : own;
}

/// With dM_i/da_i = dCE/da_i, for an ablated cell's alphas take no part, the term's gradient of a_i is
/// -(mean M * dM_i - M_i * d mean M) / (mean M)^2.
void CellLosses::add_ablation(BilevelProblem& problem, const at::Tensor& loss, const Tensors& direct, Tensors& to) const {
  const Wrt leaves = published_ ? Wrt::nothing : Wrt::alphas;
  const std::vector<Table> tables = tables_of(problem.alphas());
  Tensors contributions;
  Tensors ablated;  // sum of the gradients of all ablated losses
  for (const at::Tensor& alpha : problem.alphas()) ablated.push_back(at::zeros_like(alpha.detach()));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const at::Tensor random = problem.uniform(tables[i].of(problem.alphas()).detach(), i);
    const at::Tensor without = problem.loss(tables[i].replaced(problem.edge_weights(leaves), random),
                                            {Half::valid, leaves, /*update_statistics=*/published_});
    contributions.push_back(loss.to(at::kDouble) - without.detach().to(at::kDouble));
    if (without.requires_grad()) at::_foreach_add_(ablated, problem.gradients(without, problem.alphas()));
  }
  if (published_) return;
  const auto count = static_cast<double>(tables.size());
  const at::Tensor mean = at::stack(contributions).mean(), square = mean * mean,
                   small = (mean < kSmallestMean).bitwise_and(mean > -kSmallestMean).to(at::kDouble);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const at::Tensor own = tables[i].of(direct), of_mean = own - tables[i].of(ablated) / count;
    tables[i].of(to).sub_(ablation_weight_ * (mean * own - contributions[i] * of_mean) / (square + small) *
                          (1 - small));
  }
}

/// The published program goes back from one cell's loss after the other into all leaves, steps that cell's alphas and
/// zeroes their gradient alone: cell i of N sees what was left before, the cross entropy of i passes before its own,
/// and is left with that of the N - 1 - i passes behind it.
Tensors CellLosses::pile_up(const BilevelProblem& problem, const Tensors& direct, const Tensors& own) {
  check_left(problem.alphas());
  const std::vector<Table> tables = tables_of(direct);
  Tensors seen = own;
  at::_foreach_add_(seen, left_);
  const auto count = static_cast<std::int64_t>(tables.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const Table& table = tables[static_cast<std::size_t>(i)];
    table.of(seen).add_(table.of(direct), i);
    table.of(left_).copy_(table.of(direct) * (count - 1 - i));
  }
  at::_foreach_mul_(valid_weights_, static_cast<double>(count));
  return seen;
}

Tensors CellLosses::weight_gradients(BilevelProblem& problem) {
  if (!published_) return Hypergradient::weight_gradients(problem);
  check_left(problem.alphas());
  Tensors leaves = problem.alphas();
  leaves.insert(leaves.end(), problem.weights().begin(), problem.weights().end());
  Tensors all = problem.gradients(problem.weight_loss(Wrt::both), leaves);
  const auto count = static_cast<std::ptrdiff_t>(problem.alphas().size());
  Tensors weights(all.begin() + count, all.end());
  all.resize(problem.alphas().size());
  // The published training loss has the mean of the cells' zero-one terms.
  at::_foreach_add_(left_, all);
  at::_foreach_add_(left_, term_gradients(problem, 1.0 / static_cast<double>(tables_of(all).size())));
  if (!valid_weights_.empty()) at::_foreach_add_(weights, valid_weights_);
  valid_weights_.clear();
  return weights;
}

void CellLosses::check_left(const Tensors& alphas) {
  if (left_.empty())
    for (const at::Tensor& alpha : alphas) left_.push_back(at::zeros_like(alpha.detach()));
  bool fits = left_.size() == alphas.size();
  for (std::size_t i = 0; fits && i < alphas.size(); ++i) {
    fits = left_[i].sizes() == alphas[i].sizes() && left_[i].scalar_type() == alphas[i].scalar_type();
    if (fits) left_[i] = left_[i].to(alphas[i].device());
  }
  if (!fits)
    throw Error(ErrorCode::bad_data,
                "the gradients that the archive holds for hypergradient ddarts do not have the form of the alphas; was "
                "it written by another version of a plugin?");
}

NamedTensors CellLosses::save() const {
  NamedTensors state;
  for (std::size_t i = 0; i < left_.size(); ++i) state["left_" + std::to_string(i)] = left_[i];
  return state;
}

void CellLosses::load(const NamedTensors& state) {
  left_.clear();
  for (std::size_t i = 0; i < state.size(); ++i)
    if (const auto found = state.find("left_" + std::to_string(i)); found != state.end())
      left_.push_back(found->second);
}

}  // namespace mixop::ddarts
