// Its size by hand: that of the separable convolution, and that of the gate.
#include "squeeze_excitation.hpp"

#include <cstdio>

#include "mixop/structure_size.hpp"

int main() {
  int wrong = 0;
  for (const std::int64_t stride : {1, 2})
    for (const std::int64_t c : {2, 8}) {
      const mixop::StructureSize size =
          mixop::size_of(squeeze_excitation({.in = c, .out = 2 * c, .stride = stride, .affine = true}), {c, 8, 8});
      const std::int64_t side = 8 / stride, few = c / 2;
      const std::int64_t convolution = 9 * c + c * 2 * c, gate = 2 * c * few + few * 2 * c;
      const bool right = size.output == mixop::ImageShape{2 * c, side, side} &&
                         size.parameters == convolution + 2 * 2 * c + gate + few + 2 * c &&
                         size.multiply_adds == side * side * convolution + gate;
      std::printf("%d channels, stride %d: %s\n", static_cast<int>(c), static_cast<int>(stride),
                  right ? "right" : "wrong");
      wrong += right ? 0 : 1;
    }
  return wrong;
}
