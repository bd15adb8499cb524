#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <numbers>
#include <vector>

#include "mixop/draws.hpp"
#include "mixop/random.hpp"

// Gamma draws that are a function of a key, and their exact derivative in the concentration. Nothing waits for a
// device.

namespace mixop::strategies {

/// Logarithms of draws of Gamma(c, 1), one for each entry of `concentration`, float64 and above 0: Marsaglia and Tsang
/// (2000) for c + 1, whose tries are taken at once and pass with 95 % or more each, times U^(1/c).
inline at::Tensor log_gamma_draws(const at::Tensor& concentration, std::uint64_t key) {
  constexpr std::int64_t kTries = 16;
  const at::NoGradGuard no_grad;
  std::vector<std::int64_t> shape = concentration.sizes().vec();
  shape.insert(shape.begin(), {3, kTries});
  const at::Tensor uniform = uniform_numbers(shape, key_of({key, 0}), concentration);
  const at::Tensor normal = (-2 * (1 - uniform[0]).log()).sqrt() * (2 * std::numbers::pi * uniform[1]).cos();
  const at::Tensor d = concentration + 2.0 / 3, cube_root = 1 + normal / (3 * d.sqrt()), v = cube_root.pow(3);
  const at::Tensor bound = normal.square() / 2 + d * (1 - v + v.clamp_min(1e-300).log());
  const at::Tensor passes = cube_root.gt(0).bitwise_and((1 - uniform[2]).log().lt(bound));
  const at::Tensor first = passes.to(at::kByte).argmax(0, /*keepdim=*/true);
  const at::Tensor boost = (1 - uniform_numbers(concentration.sizes(), key_of({key, 1}), concentration)).log();
  return (d * v.gather(0, first).squeeze(0)).log() + boost / concentration;
}

/// d log x / d c of such draws with their place in the distribution held: with P the regularised incomplete gamma
/// function and p its density, -(dP/dc) / (p x), by the series
///   P(c, x) = x^c e^-x sum_n x^n / Gamma(c + n + 1)
/// differentiated term by term. Its terms are enough for concentrations up to 100.
inline at::Tensor log_gamma_slopes(const at::Tensor& concentration, const at::Tensor& log_draws) {
  constexpr std::int64_t kTerms = 160;
  const at::NoGradGuard no_grad;
  const at::Tensor n = at::arange(kTerms, concentration.options()), log_x = log_draws.unsqueeze(-1);
  const at::Tensor c_n = concentration.unsqueeze(-1) + n;
  const at::Tensor terms = (n * log_x - c_n.log().cumsum(-1)).exp();  // x^n Gamma(c) / Gamma(c + n + 1)
  return -(terms * (log_x - at::digamma(c_n + 1))).sum(-1);
}

}  // namespace mixop::strategies
