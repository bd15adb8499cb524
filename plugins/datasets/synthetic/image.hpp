#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace mixop::synthetic {

/// What images look like: options of the data set, already checked.
struct Shape {
  std::int64_t classes = 10;
  std::int64_t size = 32;
  std::int64_t channels = 3;
  std::uint64_t seed = 0;
};

/// Draws images in integer arithmetic, so that every machine draws the same bytes.
class Painter {
 public:
  explicit Painter(const Shape& shape);

  /// Classes take turns, so that every prefix of a split is balanced.
  std::int64_t label(std::int64_t index) const { return index % shape_.classes; }
  /// Writes channels * size * size bytes: a pure function of (shape, split, index).
  void paint(int split, std::int64_t index, std::uint8_t* pixels) const;

 private:
  /// What tells one class from another: a grating's step per pixel in 2^-16 turns, and a tint per channel.
  struct Look {
    std::int32_t step_x, step_y;
    std::array<std::int32_t, 4> tint;
  };

  Shape shape_;
  std::vector<Look> looks_;
};

}  // namespace mixop::synthetic
