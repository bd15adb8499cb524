// Its size by hand. What mixop computes from a description is tested in mixop itself.
#include "@file@.hpp"

#include <cstdio>

#include "mixop/structure_size.hpp"

int main() {
  int wrong = 0;
  for (const std::int64_t stride : {1, 2})
    for (const std::int64_t c : {4, 10}) {
      const mixop::OpSpec spec{.in = c, .out = 2 * c, .stride = stride, .affine = true};
      const mixop::StructureSize size = mixop::size_of(@file@_structure(spec), {c, 8, 8});
      const std::int64_t side = 8 / stride, convolutions = c * 3 * c + 9 * 3 * c + 3 * c * 2 * c;
      const std::int64_t multiply_adds = 64 * c * 3 * c + side * side * (9 * 3 * c + 3 * c * 2 * c);
      const bool right = size.output == mixop::ImageShape{2 * c, side, side} && size.multiply_adds == multiply_adds &&
                         size.parameters == convolutions + 2 * 3 * c + 2 * 2 * c;
      std::printf("%lld channels, stride %lld: %s\n", static_cast<long long>(c), static_cast<long long>(stride), right ? "right" : "wrong");
      wrong += right ? 0 : 1;
    }
  return wrong;
}
