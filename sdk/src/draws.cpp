#include "mixop/draws.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "mixop/random.hpp"

namespace mixop {
namespace {

/// x >> bits as unsigned numbers: int64 tensors shift their sign in.
at::Tensor shifted(const at::Tensor& x, int bits) {
  const auto mask = static_cast<std::int64_t>(~std::uint64_t{0} >> bits);
  return at::bitwise_and(at::bitwise_right_shift(x, bits), mask);
}

/// mix64() of every element; products wrap around as unsigned ones do.
at::Tensor mixed(at::Tensor x) {
  const auto factor = [](std::uint64_t number) { return static_cast<std::int64_t>(number); };
  x = at::bitwise_xor(x, shifted(x, 30)).mul_(factor(kMixFirst));
  x = at::bitwise_xor(x, shifted(x, 27)).mul_(factor(kMixSecond));
  return at::bitwise_xor(x, shifted(x, 31));
}

}  // namespace

at::Tensor uniform_like(const at::Tensor& like, std::uint64_t key) {
  const at::NoGradGuard no_grad;
  const at::Tensor counts = at::arange(1, like.numel() + 1, like.options().dtype(at::kLong).requires_grad(false));
  const at::Tensor bits = mixed((counts * static_cast<std::int64_t>(kGolden)).add_(static_cast<std::int64_t>(key)));
  // As many bits as the type holds, so that no number rounds up to 1.
  const int digits = like.scalar_type() == at::kDouble ? 53 : 24;
  return shifted(bits, 64 - digits)
      .to(like.scalar_type())
      .mul_(1.0 / static_cast<double>(std::uint64_t{1} << digits))
      .view(like.sizes());
}

}  // namespace mixop
