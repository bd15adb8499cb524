#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mixop {

/// What the numbers of a tensor in a file of weights are; little endian.
enum class WeightType : std::uint8_t { uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, boolean };

std::size_t size_of(WeightType type);

/// A tensor as a file of weights describes it, before any of its values is read.
struct WeightEntry {
  std::string name;
  WeightType type = WeightType::float32;
  std::vector<std::int64_t> shape;

  /// The number of its values; the readers have checked that it does not overflow.
  std::int64_t count() const;
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(type); }
};

}  // namespace mixop
