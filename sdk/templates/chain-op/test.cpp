// Its size by hand. What mixop computes from a description is tested in mixop itself.
#include "@file@.hpp"

#include <cstdio>

#include "mixop/structure_size.hpp"

int main() {
  int wrong = 0;
  for (const std::int64_t stride : {1, 2})
    for (const std::int64_t c : {4, 10}) {
      const std::int64_t times = c / 2;
      const mixop::OpSpec spec{
          .in = c, .out = 2 * c, .stride = stride, .affine = true, .options = {{"expansion", std::to_string(times)}}};
      const mixop::StructureSize size = mixop::size_of(@file@_structure(spec), {c, 8, 8});
      const std::int64_t side = 8 / stride, wide = times * c, convolutions = c * wide + 9 * wide + wide * 2 * c;
      const std::int64_t multiply_adds = 64 * c * wide + side * side * (9 * wide + wide * 2 * c);
      const bool right = size.output == mixop::ImageShape{2 * c, side, side} && size.multiply_adds == multiply_adds &&
                         size.parameters == convolutions + 2 * wide + 2 * 2 * c;
      std::printf("%lld channels, stride %lld: %s\n", static_cast<long long>(c), static_cast<long long>(stride), right ? "right" : "wrong");
      wrong += right ? 0 : 1;
    }
  return wrong;
}
