#pragma once

#include <functional>

#include "host/task/score.hpp"
#include "host/task/training_data.hpp"
#include "host/train/discrete_model.hpp"

namespace mixop {

/// Called for a batch for which the network's output is not finite, after `before` samples; throws.
using NotFiniteOutput = std::function<void(std::int64_t before, std::int64_t samples)>;

/// Sees the logits [N, classes] and the targets [N] of a batch of images.
using OutputSink = std::function<void(const at::Tensor& output, const at::Tensor& target)>;

/// Measures a network on records as they are; images are counted in `confusion`, where it is given, by what they were taken for.
/// Ends early, with a score of no use, where `go_on` returns false.
Score measure(DiscreteModel& model, TrainingData& data, Records records, std::int64_t batch,
              const std::function<bool()>& go_on, const NotFiniteOutput& not_finite, Confusion* confusion = nullptr,
              const OutputSink& sink = {});

}  // namespace mixop
