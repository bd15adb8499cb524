#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "host/runtime/fused/cpu/kernels.hpp"
#include "host/runtime/operator_instance.hpp"

namespace mixop {

/// The activations as the kernels know them; none where one of them is none of theirs.
std::optional<std::vector<cpu::Activation>> kernel_activations(const std::vector<OperatorInstance>& activations);

/// Sum over sources j and activations k of p_jk (s_j + c_j (f_k(h_j) - s_j)), [N, width], in one pass each way, in float or
/// double on a CPU: of states s [sources, N, width], products (the gates c before their sigmoid, h) [sources, N, 2 *
/// width] and weights p [sources, activations]. Its gradients cannot be differentiated again.
at::Tensor highway_sum(const at::Tensor& states, const at::Tensor& product, const at::Tensor& weights,
                       const std::vector<cpu::Activation>& activations);

}  // namespace mixop
