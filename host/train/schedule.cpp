#include "host/train/schedule.hpp"

#include <cmath>

#include "host/search/optimizers.hpp"

namespace mixop {

namespace {

/// As P-DARTS and PC-DARTS train on ImageNet: 0 would come five epochs before the end, which have a gentler slope.
double linear_rate(double rate, std::int64_t epoch, std::int64_t epochs) {
  constexpr std::int64_t kGentle = 5;
  const auto all = static_cast<double>(epochs), left = static_cast<double>(epochs - epoch);
  if (epochs <= kGentle) return rate * left / all;
  if (epochs - epoch > kGentle) return rate * (left - kGentle) / (all - kGentle);
  return rate * left / ((all - kGentle) * kGentle);
}

double scheduled_rate(const WeightsConfig& weights, std::int64_t epoch, std::int64_t epochs) {
  if (weights.schedule == "constant") return weights.lr;
  if (weights.schedule == "exponential") return weights.lr * std::pow(weights.gamma, static_cast<double>(epoch));
  if (weights.schedule == "linear") return linear_rate(weights.lr, epoch, epochs);
  return cosine_rate(weights.lr, weights.lr_min, epoch, epochs);
}

}  // namespace

double learning_rate(const WeightsConfig& weights, std::int64_t epoch, std::int64_t epochs) {
  const double rate = scheduled_rate(weights, epoch, epochs);
  if (epoch >= weights.warmup) return rate;
  return rate * static_cast<double>(epoch + 1) / static_cast<double>(weights.warmup);
}

double drop_path_probability(double probability, std::int64_t epoch, std::int64_t epochs) {
  return probability * static_cast<double>(epoch) / static_cast<double>(epochs);
}

}  // namespace mixop
