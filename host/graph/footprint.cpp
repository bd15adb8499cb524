#include "host/graph/footprint.hpp"

#include <limits>

namespace mixop {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? kMost : result;
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? kMost : result;
}

}  // namespace

std::int64_t Footprint::total() const { return sum(weights, activations); }

std::int64_t all_parameters(const MeasuredNetwork& network) {
  return network.cost().parameters + network.auxiliary_parameters();
}

Footprint footprint(const MeasuredNetwork& network, const StepSizes& sizes) {
  Footprint found;
  found.weights = product(all_parameters(network), product(sizes.weight_bytes, sizes.weight_copies));
  // An eighth of what the layers put out: some of it is given back on the way, and fused execution computes most again.
  for (const NetworkPart& part : network.parts)
    found.activations =
        sum(found.activations, product(part.cost().activations / 8, product(sizes.samples, sizes.activation_bytes)));
  return found;
}

}  // namespace mixop
