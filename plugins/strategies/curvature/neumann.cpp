#include "neumann.hpp"

#include <ATen/ATen.h>

#include <iterator>

#include "differences.hpp"

namespace mixop::strategies {
namespace {

using Tensors = std::vector<at::Tensor>;

}  // namespace

Neumann::Neumann(const Options& options)
    : terms_(options.integer("terms")), gamma_(options.real("gamma")), epsilon_(options.real("epsilon")) {
  const auto refuse = [&](const std::string& name, const std::string& expected) {
    throw Error(ErrorCode::usage,
                "neumann." + name + ": expected a number " + expected + ", found " + options.text(name));
  };
  if (terms_ < 0) refuse("terms", "from 0 on");
  if (!(gamma_ >= 0)) refuse("gamma", "from 0 on");
  if (!(epsilon_ > 0)) refuse("epsilon", "above 0");
}

Tensors Neumann::alpha_gradients(BilevelProblem& problem) {
  const Tensors &alphas = problem.alphas(), &weights = problem.weights();
  const double gamma = gamma_ == 0 ? problem.weight_step().rate : gamma_;
  const auto train_gradients = [&](Wrt leaves) {
    return problem.gradients(problem.train_loss(leaves, /*update_statistics=*/false),
                             leaves == Wrt::weights ? weights : alphas);
  };

  Tensors leaves = alphas;
  leaves.insert(leaves.end(), weights.begin(), weights.end());
  Tensors direct = problem.gradients(problem.valid_loss(Wrt::both, /*update_statistics=*/true), leaves);
  Tensors term(std::make_move_iterator(direct.begin() + static_cast<std::ptrdiff_t>(alphas.size())),
               std::make_move_iterator(direct.end()));
  direct.resize(alphas.size());

  Tensors sum;
  for (const at::Tensor& tensor : term) sum.push_back(tensor.clone());
  for (std::int64_t k = 0; k < terms_; ++k) {
    at::_foreach_sub_(
        term, central_difference(problem, weights, term, epsilon_, [&] { return train_gradients(Wrt::weights); }),
        gamma);
    at::_foreach_add_(sum, term);
  }
  at::_foreach_sub_(
      direct, central_difference(problem, weights, sum, epsilon_, [&] { return train_gradients(Wrt::alphas); }), gamma);
  return direct;
}

}  // namespace mixop::strategies
