#include "mixop/draws.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/accumulate.h>

#include "mixop/random.hpp"

namespace mixop {
namespace {

/// A right shift that fills with zeros, of numbers that are unsigned and stand in a signed type.
at::Tensor shifted(const at::Tensor& x, int bits) {
  return x.bitwise_right_shift(bits).bitwise_and((std::int64_t{1} << (64 - bits)) - 1);
}

at::Tensor times(const at::Tensor& x, std::uint64_t factor) { return x.mul(static_cast<std::int64_t>(factor)); }

/// mix64 of every entry.
at::Tensor mixed(at::Tensor x) {
  x = times(x.bitwise_xor(shifted(x, 30)), 0xbf58476d1ce4e5b9ULL);
  x = times(x.bitwise_xor(shifted(x, 27)), 0x94d049bb133111ebULL);
  return x.bitwise_xor(shifted(x, 31));
}

}  // namespace

at::Tensor uniform_numbers(at::IntArrayRef shape, std::uint64_t key, const at::Tensor& like) {
  const at::NoGradGuard no_grad;
  const std::int64_t count = c10::multiply_integers(shape);
  const at::Tensor places = at::arange(1, count + 1, at::TensorOptions(at::kLong).device(like.device()));
  const at::Tensor bits = mixed(times(places, 0x9e3779b97f4a7c15ULL).add(static_cast<std::int64_t>(key)));
  return shifted(bits, 11).to(at::kDouble).mul(0x1.0p-53).to(like.scalar_type()).view(shape);
}

}  // namespace mixop
