#include "host/runtime/finite.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace mixop {

bool is_finite(const at::Tensor& tensor) {
  if (!tensor.is_cpu() || !tensor.is_floating_point() || tensor.numel() == 0) return true;
  const at::Tensor values = tensor.detach();
  // What is not finite stays so in a sum; a sum of finite numbers may overflow.
  return std::isfinite(values.sum().item<double>()) || values.isfinite().all().item<bool>();
}

}  // namespace mixop
