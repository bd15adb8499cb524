#include "host/weights/tensor_type.hpp"

namespace mixop {

std::size_t size_of(WeightType type) {
  switch (type) {
    case WeightType::uint8:
    case WeightType::int8:
    case WeightType::boolean:
      return 1;
    case WeightType::int16:
    case WeightType::float16:
    case WeightType::bfloat16:
      return 2;
    case WeightType::int32:
    case WeightType::float32:
      return 4;
    case WeightType::int64:
    case WeightType::float64:
      return 8;
  }
  return 0;
}

std::int64_t WeightEntry::count() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

}  // namespace mixop
