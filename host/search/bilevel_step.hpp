#pragma once

#include "host/search/composition.hpp"
#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"

namespace mixop {

/// The learning rates of one step, and what it moves.
struct StepRates {
  double weights = 0;
  double alphas = 0;
  bool alphas_move = true;  ///< not in the epochs that train the weights alone
};

/// One step of a search on what the problem was set to: the alphas', then the weights'. Nothing in it reads a number from
/// the device, so that a device never waits.
void take_bilevel_step(SearchProblem& problem, const Composition& strategy, Adam& alphas, Sgd& weights,
                       const StepRates& rates);

}  // namespace mixop
