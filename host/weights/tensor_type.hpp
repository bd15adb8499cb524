#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mixop {

/// What the numbers of a tensor in a file of weights are; little endian.
enum class WeightType : std::uint8_t { uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, boolean };

/// What a type is called and how many bytes a number of it has.
struct WeightTypeNames {
  WeightType type;
  std::size_t size;
  std::string_view safetensors;  ///< "F32"
  std::string_view torch;        ///< the class of a storage: "FloatStorage"
};
inline constexpr WeightTypeNames weight_types[] = {
    {WeightType::uint8, 1, "U8", "ByteStorage"},          {WeightType::int8, 1, "I8", "CharStorage"},
    {WeightType::int16, 2, "I16", "ShortStorage"},        {WeightType::int32, 4, "I32", "IntStorage"},
    {WeightType::int64, 8, "I64", "LongStorage"},         {WeightType::float16, 2, "F16", "HalfStorage"},
    {WeightType::bfloat16, 2, "BF16", "BFloat16Storage"}, {WeightType::float32, 4, "F32", "FloatStorage"},
    {WeightType::float64, 8, "F64", "DoubleStorage"},     {WeightType::boolean, 1, "BOOL", "BoolStorage"},
};

const WeightTypeNames& names_of(WeightType type);
inline std::size_t size_of(WeightType type) { return names_of(type).size; }

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
