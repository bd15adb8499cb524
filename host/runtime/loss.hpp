#pragma once

#include <ATen/core/Tensor.h>

namespace mixop {

/// Mean cross entropy in natural logarithms. `target` is int64 [N]; with smoothing the wanted distribution is
/// (1 - smoothing) * onehot + smoothing / classes (Szegedy et al. 2016, section 7).
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, double smoothing = 0);

}  // namespace mixop
