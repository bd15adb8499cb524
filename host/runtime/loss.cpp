#include "host/runtime/loss.hpp"

#include <ATen/ATen.h>

namespace mixop {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, double smoothing) {
  const at::Tensor exact = logits.scalar_type() == at::kBFloat16 ? logits.to(at::kFloat) : logits;
  return at::cross_entropy_loss(exact, target, /*weight=*/{}, at::Reduction::Mean, /*ignore_index=*/-100, smoothing);
}

}  // namespace mixop
