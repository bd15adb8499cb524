#include "host/runtime/recurrent/decoder.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace mixop {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Logits of one chunk: 8 MiB in float32.
constexpr std::int64_t kChunkLogits = std::int64_t{1} << 21;

class DecoderLoss : public torch::autograd::Function<DecoderLoss> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& outputs, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& targets) {
    const std::int64_t rows = outputs.size(0), chunk = std::max<std::int64_t>(1, kChunkLogits / weight.size(0));
    const bool train_outputs = outputs.requires_grad(), train_decoder = weight.requires_grad();
    at::Tensor loss = at::zeros({}, outputs.options().dtype(at::kDouble).requires_grad(false));
    at::Tensor grad_outputs, grad_weight, grad_bias;
    if (train_outputs) grad_outputs = at::empty_like(outputs);
    if (train_decoder) grad_weight = at::zeros_like(weight);
    if (train_decoder) grad_bias = at::zeros_like(bias);
    for (std::int64_t first = 0; first < rows; first += chunk) {
      const std::int64_t count = std::min(chunk, rows - first);
      const at::Tensor part = outputs.narrow(0, first, count), wanted = targets.narrow(0, first, count).unsqueeze(1);
      at::Tensor logs = at::addmm(bias, part, weight.t()).log_softmax(-1);
      loss.sub_(logs.gather(1, wanted).sum(at::kDouble));
      if (!train_outputs && !train_decoder) continue;
      // d loss / d logits = (softmax - onehot) / rows
      at::Tensor gradient = logs.exp_();
      gradient.scatter_add_(1, wanted, at::full({count, 1}, -1, gradient.options()));
      gradient.div_(static_cast<double>(rows));
      if (train_outputs) {
        at::Tensor slot = grad_outputs.narrow(0, first, count);
        at::mm_out(slot, gradient, weight);
      }
      if (train_decoder) grad_weight.addmm_(gradient.t(), part);
      if (train_decoder) grad_bias.add_(gradient.sum(0));
    }
    context->save_for_backward({grad_outputs, grad_weight, grad_bias});
    return loss.div_(static_cast<double>(rows)).to(outputs.scalar_type());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list result;
    for (const at::Tensor& own : context->get_saved_variables())
      result.push_back(own.defined() ? own.mul(gradients[0]) : at::Tensor());
    result.emplace_back();
    return result;
  }
};

}  // namespace

at::Tensor decoder_loss(const at::Tensor& outputs, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& targets) {
  return DecoderLoss::apply(outputs, weight, bias, targets);
}

}  // namespace mixop
