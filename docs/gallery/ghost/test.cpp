// Its size by hand, and against an ordinary convolution: about one `ratio`-th of the multiply-adds where channels are
// many.
#include "ghost.hpp"

#include <cstdio>

#include "mixop/structure_size.hpp"

int main() {
  int wrong = 0;
  for (const std::int64_t stride : {1, 2})
    for (const std::int64_t ratio : {2, 4})
      for (const std::int64_t c : {4, 64}) {
        const mixop::StructureSize size = mixop::size_of(
            ghost({.in = c, .out = c, .stride = stride, .affine = true, .options = {{"ratio", std::to_string(ratio)}}}),
            {c, 8, 8});
        const std::int64_t side = 8 / stride, few = c / ratio, weights = c * few + 9 * (c - few);
        const bool right =
            size.output == mixop::ImageShape{c, side, side} && size.parameters == weights + 2 * c &&
            size.multiply_adds == side * side * weights &&
            (c < 64 || static_cast<double>(size.multiply_adds) <
                           (1.0 / static_cast<double>(ratio) + 0.11) * static_cast<double>(side * side * c * c));
        std::printf("%d channels, stride %d, ratio %d: %s\n", static_cast<int>(c), static_cast<int>(stride),
                    static_cast<int>(ratio), right ? "right" : "wrong");
        wrong += right ? 0 : 1;
      }
  try {
    ghost({.in = 4, .out = 3, .stride = 1, .affine = true, .options = {{"ratio", "2"}}});
    ++wrong;
  } catch (const mixop::Error& error) {
    wrong += error.code() == mixop::ErrorCode::unsupported ? 0 : 1;
  }
  return wrong;
}
