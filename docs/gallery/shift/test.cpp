// Where the pixels of each channel go, and that backward is the transpose of forward: <shifted a, b> = <a, gradient>.
#include "shift.hpp"

#include <cstdio>

int main() {
  const at::Tensor x = at::arange(1, 5, at::kDouble).view({1, 1, 2, 2}).repeat({1, 6, 1, 1});
  const double moved[6][4] = {{1, 2, 3, 4}, {0, 1, 0, 3}, {2, 0, 4, 0}, {0, 0, 1, 2}, {3, 4, 0, 0}, {1, 2, 3, 4}};
  const at::Tensor expected = at::from_blob(const_cast<double*>(&moved[0][0]), {1, 6, 2, 2}, at::kDouble);
  int wrong = at::equal(shifted(x, 1), expected) ? 0 : 1;

  at::manual_seed(1);
  const at::Tensor a = at::randn({2, 7, 5, 4}, at::kDouble).requires_grad_(true);
  const at::Tensor b = at::randn({2, 7, 5, 4}, at::kDouble);
  (MovedChannels::apply(a) * b).sum().backward();
  const double sides = ((shifted(a, 1) * b).sum() - (a * a.grad()).sum()).abs().item<double>();
  wrong += sides < 1e-12 ? 0 : 1;
  std::printf("%d wrong; the two sides differ by %g\n", wrong, sides);
  return wrong;
}
