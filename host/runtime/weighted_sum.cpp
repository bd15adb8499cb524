#include "host/runtime/candidates.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>


namespace mixop {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The entries as a vector, in the order of memory where the layout is dense.
at::Tensor in_memory_order(const at::Tensor& x) {
  const bool channels_last = x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
  return channels_last ? x.permute({0, 2, 3, 1}).reshape(-1) : x.reshape(-1);
}

class WeightedSum : public torch::autograd::Function<WeightedSum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& weights, at::TensorList terms) {
    variable_list saved{weights};
    if (weights.requires_grad()) saved.insert(saved.end(), terms.begin(), terms.end());
    context->save_for_backward(std::move(saved));
    context->saved_data["terms"] = static_cast<std::int64_t>(terms.size());
    at::Tensor sum = terms[0].mul(weights[0]);
    for (std::size_t k = 1; k < terms.size(); ++k) add(sum, terms[k], weights[static_cast<std::int64_t>(k)]);
    return sum;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &weights = saved[0], &gradient = gradients[0];
    const std::int64_t count = context->saved_data["terms"].toInt();
    variable_list result(static_cast<std::size_t>(1 + count));
    if (context->needs_input_grad(0)) {
      const at::Tensor flat = in_memory_order(gradient);
      variable_list products;
      for (std::size_t k = 1; k < saved.size(); ++k) {
        const bool alike = saved[k].strides() == gradient.strides();
        products.push_back(
            at::dot(alike ? flat : gradient.reshape(-1), alike ? in_memory_order(saved[k]) : saved[k].reshape(-1)));
      }
      result[0] = at::stack(products);
    }
    for (std::int64_t k = 0; k < count; ++k)
      if (context->needs_input_grad(static_cast<std::size_t>(1 + k)))
        result[static_cast<std::size_t>(1 + k)] = gradient.mul(weights[k]);
    return result;
  }

 private:
  /// On a CPU a number is faster than a tensor of one entry; on a GPU it would wait for the device.
  static void add(at::Tensor& sum, const at::Tensor& term, const at::Tensor& weight) {
    weight.is_cpu() ? sum.add_(term, weight.item()) : sum.addcmul_(term, weight);
  }
};

}  // namespace

at::Tensor weighted_sum(const at::Tensor& weights, const std::vector<at::Tensor>& terms) {
  return WeightedSum::apply(weights, at::TensorList(terms));
}

}  // namespace mixop
