#include "host/runtime/recurrent/dropout.hpp"

#include <ATen/ATen.h>

#include "mixop/draws.hpp"

namespace mixop {

at::Tensor dropout_mask(at::IntArrayRef shape, double probability, std::uint64_t key, const at::Tensor& like) {
  if (probability == 0) return {};
  const at::Tensor draws = uniform_numbers(shape, key, at::empty({0}, like.options().dtype(at::kDouble)));
  const double kept = static_cast<float>(1 / (1 - probability));
  return draws.ge(probability).to(like.scalar_type()).mul(kept);
}

}  // namespace mixop
