#pragma once

#include <ATen/core/Tensor.h>

namespace mixop {

/// Mean cross entropy in natural logarithms of the decoder's distributions: softmax(outputs weight^T + bias) against
/// `targets`. outputs [rows, width], weight [words, width], bias [words], targets int64 [rows]. The logits exist for
/// some rows at a time only: their gradient is taken where they are, so the loss is differentiable once.
at::Tensor decoder_loss(const at::Tensor& outputs, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& targets);

}  // namespace mixop
