#include "host/train/schedule.hpp"

#include <cmath>

#include "host/search/optimizers.hpp"

namespace mixop {

double learning_rate(const WeightsConfig& weights, std::int64_t epoch, std::int64_t epochs) {
  if (weights.schedule == "constant") return weights.lr;
  if (weights.schedule == "exponential") return weights.lr * std::pow(weights.gamma, static_cast<double>(epoch));
  return cosine_rate(weights.lr, weights.lr_min, epoch, epochs);
}

double drop_path_probability(double probability, std::int64_t epoch, std::int64_t epochs) {
  return probability * static_cast<double>(epoch) / static_cast<double>(epochs);
}

}  // namespace mixop
