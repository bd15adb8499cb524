#pragma once

#include "host/session/application.hpp"
#include "host/session/request.hpp"

namespace mixop {

// How long runs take on this machine, by a few of their own steps and batches of their measurements. What only their end
// tells is not in it: a stopper that ends them, edge operations that a strategy drops, the decisions of a schedule.

/// Seconds of a search, from its start to its last checkpoint.
double predicted_seconds(const SearchRequest& request, const Application& application);

struct TrainingTime {
  double train_s = 0;     ///< of the training
  double evaluate_s = 0;  ///< of `mixop evaluate` on the test split
};

TrainingTime predicted_seconds(const TrainRequest& request, const Application& application);

}  // namespace mixop
