#include "eigenvalue_stopper.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>

#include "differences.hpp"

namespace mixop::strategies {
namespace {

using Tensors = std::vector<at::Tensor>;

constexpr std::uint64_t kStart = 1 << 21;  // of the start vector's draws, beside those of other parts
constexpr double kSettled = 1e-6;          // a smaller rest, relative to the last row, ends the iteration

at::Tensor flat(const Tensors& tensors) {
  Tensors parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(tensor.detach().flatten().to(at::kDouble));
  return at::cat(parts);
}

Tensors shaped(const at::Tensor& vector, const Tensors& like) {
  Tensors parts;
  std::int64_t from = 0;
  for (const at::Tensor& tensor : like) {
    parts.push_back(vector.narrow(0, from, tensor.numel()).view(tensor.sizes()).to(tensor.scalar_type()));
    from += tensor.numel();
  }
  return parts;
}

}  // namespace

EigenvalueStopper::EigenvalueStopper(const Options& options)
    : window_(options.integer("window")),
      ratio_(options.real("ratio")),
      products_(options.integer("products")),
      epsilon_(options.real("epsilon")) {
  const auto refuse = [&](const std::string& name, const std::string& expected) {
    throw Error(ErrorCode::usage,
                "eigenvalue." + name + ": expected a number " + expected + ", found " + options.text(name));
  };
  if (window_ < 1) refuse("window", "from 1 on");
  if (!(ratio_ >= 0)) refuse("ratio", "from 0 on");
  if (products_ < 1) refuse("products", "from 1 on");
  if (!(epsilon_ > 0)) refuse("epsilon", "above 0");
}

/// Lanczos: the Hessian in an orthonormal basis of v, Hv, HHv, ... is tridiagonal, and its largest eigenvalue comes
/// close to the Hessian's long before the basis is whole.
double EigenvalueStopper::largest_eigenvalue(BilevelProblem& problem) const {
  const Tensors& alphas = problem.alphas();
  const auto gradient = [&] {
    return problem.gradients(problem.loss(problem.edge_weights(Wrt::alphas), {Half::valid, Wrt::alphas}), alphas);
  };
  Tensors start;
  for (std::size_t set = 0; set < alphas.size(); ++set)
    start.push_back(problem.uniform(alphas[set].detach(), kStart + set) - 0.5);
  Tensors basis{flat(start)};
  basis[0].div_(basis[0].norm());
  const std::int64_t most = std::min(products_, basis[0].numel());
  std::vector<double> diagonal, beside;
  for (std::int64_t k = 0; k < most; ++k) {
    const at::Tensor& last = basis.back();
    at::Tensor rest = flat(central_difference(problem, alphas, shaped(last, alphas), epsilon_, gradient));
    diagonal.push_back(rest.dot(last).item<double>());
    for (int twice = 0; twice < 2; ++twice)
      for (const at::Tensor& known : basis) rest = rest - rest.dot(known) * known;
    const double length = rest.norm().item<double>();
    const double size = std::abs(diagonal.back()) + (beside.empty() ? 0 : beside.back());
    if (k + 1 == most || !(length > kSettled * size)) break;
    beside.push_back(length);
    basis.push_back(rest / length);
  }
  at::Tensor tridiagonal = at::diag(at::tensor(diagonal, at::kDouble));
  if (!beside.empty()) {
    const at::Tensor off = at::diag(at::tensor(beside, at::kDouble), 1);
    tridiagonal = tridiagonal + off + off.t();
  }
  return at::linalg_eigvalsh(tridiagonal).max().item<double>();
}

std::string EigenvalueStopper::reason_to_stop(const EpochReport& report) {
  eigenvalue_ = largest_eigenvalue(report.problem());
  if (!report.alphas_moved) return "";
  history_.push_back(eigenvalue_);
  if (static_cast<std::int64_t>(history_.size()) > 2 * window_) history_.erase(history_.begin());
  if (static_cast<std::int64_t>(history_.size()) < 2 * window_) return "";
  const auto middle = history_.begin() + window_;
  const double before = std::accumulate(history_.begin(), middle, 0.0) / static_cast<double>(window_);
  const double last = std::accumulate(middle, history_.end(), 0.0) / static_cast<double>(window_);
  if (!(last > 0 && before < ratio_ * last)) return "";
  return "the largest eigenvalue of the validation loss in the alphas grows: " + std::to_string(last) +
         " on average over " + std::to_string(window_) + " epochs, " + std::to_string(before) +
         " over those before; the published rule takes "
         "the genotype after epoch " +
         std::to_string(report.at.epoch - window_ - window_ / 2);
}

NamedTensors EigenvalueStopper::save() const {
  if (history_.empty()) return {};
  return {{"history", at::tensor(history_, at::kDouble)}};
}

void EigenvalueStopper::load(const NamedTensors& state) {
  history_.clear();
  if (state.empty()) return;
  const auto found = state.find("history");
  if (found == state.end() || found->second.dim() != 1 || found->second.scalar_type() != at::kDouble ||
      found->second.numel() > 2 * window_)
    throw Error(ErrorCode::bad_data,
                "the stopper eigenvalue finds no list 'history' of its window in its state; was it written by another "
                "version of a plugin?");
  const at::Tensor values = found->second.contiguous();
  history_.assign(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
}

}  // namespace mixop::strategies
