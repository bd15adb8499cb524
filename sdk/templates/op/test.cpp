// With weights of one the convolution counts the ones that its window sees: 4 in a corner, 6 at an edge, 9 inside.
#include "@file@.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdio>

int main() {
  const at::NoGradGuard no_grad;
  @class@ op({.in = 2, .out = 3, .stride = 1, .affine = false});
  op.conv->weight.fill_(1);
  op.eval();  // the norm divides by the root of its running variance, which begins as 1
  const at::Tensor x = at::cat({at::ones({1, 1, 4, 4}), -at::ones({1, 1, 4, 4})}, 1);  // ReLU leaves one channel
  const at::Tensor seen = at::tensor({4., 6., 6., 4., 6., 9., 9., 6., 6., 9., 9., 6., 4., 6., 6., 4.}).view({1, 1, 4, 4});
  const double error = (op.forward(x) - seen.to(at::kFloat)).abs().max().item<double>();
  std::printf("largest error %g\n", error);
  return error < 1e-3 ? 0 : 1;
}
