// Against values by hand, and the backward pass as the forward's adjoint: <y, g> is <x, dx>.
#include "@file@.hpp"

#include <cstdio>
#include <numeric>

namespace {

// [1, channels, 5, 4] or its like: 1, 2, 3, ...
mixop::StableTensor counted(const mixop::StableTensor& shape) {
  const auto made = torch::stable::empty_like(shape);
  std::iota(made.mutable_data_ptr<double>(), made.mutable_data_ptr<double>() + made.numel(), 1.0);
  return made;
}

double inner_product(const mixop::StableTensor& a, const mixop::StableTensor& b) {
  const double* from = a.const_data_ptr<double>();
  return std::inner_product(from, from + a.numel(), b.const_data_ptr<double>(), 0.0);
}

}  // namespace

int main() {
  int wrong = 0;
  const auto expect = [&wrong](double found, double expected, const char* what) {
    std::printf("%s: %g, expected %g\n", what, found, expected);
    wrong += found == expected ? 0 : 1;
  };
  for (const std::int64_t stride : {1, 2}) {
    const @class@ op({.in = 9, .out = 9, .stride = stride});
    const auto x = counted(torch::stable::empty({1, 9, 4, 4}, torch::headeronly::ScalarType::Double));
    const auto y = op.forward(x, {});
    const std::int64_t side = 4 / stride, plane = side * side;
    const double* at = y.const_data_ptr<double>();
    expect(at[0], 0, "channel 0 comes from above and from the left, at its corner from outside");
    expect(at[side + 1], stride == 1 ? 1 : 6, "channel 0 at (1, 1)");
    expect(at[4 * plane], 4 * 16 + 1, "channel 4 stays");
    expect(at[8 * plane], 8 * 16 + 6, "channel 8 comes from below and from the right");
    const auto grad_y = counted(y);
    expect(inner_product(op.backward(x, y, grad_y, {}), x), inner_product(y, grad_y), "the adjoint");
  }
  return wrong;
}
