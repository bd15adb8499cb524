#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

// What a bilevel problem of one process computes its gradients with. Parts of strategies ask their problem instead,
// which may run over several. Nothing here waits for a device.

namespace mixop {

/// d loss / d leaves, freeing the graph; zeros for leaves that the loss does not reach.
std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& leaves);

/// The norm of all tensors as one vector: 0-dim, float64, on their device; 0 for none.
at::Tensor norm_of(const std::vector<at::Tensor>& tensors);

/// Scales the tensors in place so that their norm is at most `limit`, as torch.nn.utils.clip_grad_norm_; a limit of 0
/// leaves them. Returns limit / (norm before + 1e-6), also above 1; 1 for a limit of 0. 0-dim, float64, on their device.
at::Tensor clip(const std::vector<at::Tensor>& tensors, double limit);

/// In place, times a 0-dim tensor of any type.
void scale(const std::vector<at::Tensor>& tensors, const at::Tensor& factor);

}  // namespace mixop
