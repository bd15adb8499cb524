#include "host/weights/tensor_type.hpp"

#include <algorithm>
#include <iterator>

namespace mixop {

const WeightTypeNames& names_of(WeightType type) {
  return *std::find_if(std::begin(weight_types), std::end(weight_types),
                       [&](const WeightTypeNames& one) { return one.type == type; });
}

std::int64_t WeightEntry::count() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

}  // namespace mixop
