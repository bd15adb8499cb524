// Weights of ln 1, ln 2, ln 3 by hand: at temperature T they are as 1 to 2^(1/T) to 3^(1/T).
#include "annealed.hpp"

#include <cstdio>

int main() {
  const Annealed part(mixop::Options({{"start", "2"}, {"end", "0.5"}}));
  double error = 0;
  for (const auto& [epoch, temperature] : {std::pair{0, 2.0}, {5, 1.25}, {10, 0.5}}) {
    const mixop::RelaxationContext how{{epoch, 11, 0}};
    const at::Tensor weights = part.relax(at::tensor({1., 2., 3.}, at::kDouble).log(), how).weights;
    const double second = std::pow(2, 1 / temperature), third = std::pow(3, 1 / temperature);
    const at::Tensor expected = at::tensor({1., second, third}, at::kDouble) / (1 + second + third);
    error = std::max(error, (weights - expected).abs().max().item<double>());
  }
  std::printf("largest error %g\n", error);
  return error < 1e-12 ? 0 : 1;
}
