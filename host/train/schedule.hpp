#pragma once

#include "host/config/config.hpp"

namespace mixop {

/// The learning rate of an epoch, counted from 0: the cosine of weights.lr to weights.lr_min, weights.lr *
/// weights.gamma^epoch, weights.lr falling linearly (Chen et al. 2019: with a gentler slope in the last five epochs),
/// or weights.lr in all; in the first weights.warmup epochs (epoch + 1) / weights.warmup of that.
double learning_rate(const WeightsConfig& weights, std::int64_t epoch, std::int64_t epochs);

/// The scheduled drop-path of Larsson et al. 2017 as DARTS trains: `probability` * epoch / epochs, 0 in the first
/// epoch.
double drop_path_probability(double probability, std::int64_t epoch, std::int64_t epochs);

}  // namespace mixop
