#include "host/task/confusion.hpp"

#include <limits>

namespace mixop {

std::int64_t Confusion::samples(std::int64_t target) const {
  std::int64_t sum = 0;
  for (std::int64_t predicted = 0; predicted < classes_; ++predicted) sum += count(target, predicted);
  return sum;
}

double Confusion::accuracy(std::int64_t target) const {
  const std::int64_t all = samples(target);
  if (all == 0) return std::numeric_limits<double>::quiet_NaN();
  return 100.0 * static_cast<double>(count(target, target)) / static_cast<double>(all);
}

}  // namespace mixop
