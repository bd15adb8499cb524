// Its size by hand, and against an ordinary convolution: about half of the multiply-adds where channels are many.
#include "ghost.hpp"

#include <cstdio>

#include "mixop/structure_size.hpp"

int main() {
  int wrong = 0;
  for (const std::int64_t stride : {1, 2})
    for (const std::int64_t c : {4, 64}) {
      const mixop::StructureSize size =
          mixop::size_of(ghost({.in = c, .out = c, .stride = stride, .affine = true}), {c, 8, 8});
      const std::int64_t side = 8 / stride, half = c / 2, weights = c * half + 9 * half;
      const bool right = size.output == mixop::ImageShape{c, side, side} && size.parameters == weights + 2 * c &&
                         size.multiply_adds == side * side * weights &&
                         (c < 64 || size.multiply_adds < 0.6 * static_cast<double>(side * side * c * c));
      std::printf("%d channels, stride %d: %s\n", static_cast<int>(c), static_cast<int>(stride),
                  right ? "right" : "wrong");
      wrong += right ? 0 : 1;
    }
  try {
    ghost({.in = 4, .out = 3, .stride = 1, .affine = true});
    ++wrong;
  } catch (const mixop::Error& error) {
    wrong += error.code() == mixop::ErrorCode::unsupported ? 0 : 1;
  }
  return wrong;
}
