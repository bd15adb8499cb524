#pragma once

#include <ATen/core/Tensor.h>

namespace mixop {

/// Whether all numbers of a tensor are finite, by one pass over them. Looked at on CPUs alone, where it waits for nothing.
bool is_finite(const at::Tensor& tensor);

}  // namespace mixop
