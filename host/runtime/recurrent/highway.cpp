#include "host/runtime/recurrent/highway.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "host/runtime/threads.hpp"

namespace mixop {
namespace {

using cpu::Activation;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kRowsAtOnce = 8;

template <class T>
void sum_sources(const at::Tensor& states, const at::Tensor& product, const at::Tensor& weights,
                 const std::vector<Activation>& kinds, at::Tensor& out) {
  const std::int64_t sources = states.size(0), rows = states.size(1), width = states.size(2);
  const auto count = static_cast<std::int64_t>(kinds.size());
  const T *s = states.const_data_ptr<T>(), *p = product.const_data_ptr<T>(), *w = weights.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  for_ranges(rows, kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = 0; j < sources; ++j) {
      const std::int64_t first = (j * rows + begin) * width;
      cpu::kernels<T>().highway({end - begin, width, count, kinds.data(), w + j * count, s + first, p + 2 * first,
                                 /*accumulate=*/j > 0, to + begin * width});
    }
  });
}

template <class T>
void split_gradient(const at::Tensor& states, const at::Tensor& product, const at::Tensor& weights,
                    const std::vector<Activation>& kinds, const at::Tensor& d, at::Tensor& d_states,
                    at::Tensor& d_product, at::Tensor& d_weights) {
  const std::int64_t rows = states.size(1), width = states.size(2);
  const auto count = static_cast<std::int64_t>(kinds.size());
  const T *s = states.const_data_ptr<T>(), *p = product.const_data_ptr<T>(), *w = weights.const_data_ptr<T>();
  const T* from = d.const_data_ptr<T>();
  T *to_states = d_states.mutable_data_ptr<T>(), *to_product = d_product.mutable_data_ptr<T>();
  double* to_weights = d_weights.mutable_data_ptr<double>();
  for_ranges(states.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const std::int64_t first = j * rows * width;
      cpu::kernels<T>().highway_back({rows, width, count, kinds.data(), w + j * count, s + first, p + 2 * first, from,
                                      to_states + first, to_product + 2 * first, to_weights + j * count});
    }
  });
}

class HighwaySum : public torch::autograd::Function<HighwaySum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& states, const at::Tensor& product,
                            const at::Tensor& weights, const std::vector<Activation>& kinds) {
    at::Tensor out = at::empty({states.size(1), states.size(2)}, states.options().requires_grad(false));
    AT_DISPATCH_FLOATING_TYPES(states.scalar_type(), "highway_sum",
                               [&] { sum_sources<scalar_t>(states, product, weights, kinds, out); });
    context->save_for_backward({states, product, weights});
    std::vector<std::int64_t> numbers;
    for (const Activation kind : kinds) numbers.push_back(static_cast<std::int64_t>(kind));
    context->saved_data["kinds"] = std::move(numbers);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &states = saved[0], &product = saved[1], &weights = saved[2];
    std::vector<Activation> kinds;
    for (const std::int64_t kind : context->saved_data["kinds"].toIntVector())
      kinds.push_back(static_cast<Activation>(kind));
    at::Tensor d_states = at::empty_like(states), d_product = at::empty_like(product);
    at::Tensor d_weights = at::empty(weights.sizes(), at::kDouble);
    const at::Tensor d = gradients[0].contiguous();
    AT_DISPATCH_FLOATING_TYPES(states.scalar_type(), "highway_sum", [&] {
      split_gradient<scalar_t>(states, product, weights, kinds, d, d_states, d_product, d_weights);
    });
    return {d_states, d_product, d_weights.to(weights.scalar_type()), at::Tensor()};
  }
};

}  // namespace

std::optional<std::vector<Activation>> kernel_activations(const std::vector<OperatorInstance>& activations) {
  std::vector<Activation> kinds;
  for (const OperatorInstance& one : activations) {
    if (one.has_own_code() || !one.structure()) return std::nullopt;
    const Structure& structure = *one.structure();
    if (structure.is_only(StageKind::identity))
      kinds.push_back(Activation::identity);
    else if (structure.is_only(StageKind::relu))
      kinds.push_back(Activation::relu);
    else if (structure.is_only(StageKind::tanh))
      kinds.push_back(Activation::tanh);
    else if (structure.is_only(StageKind::sigmoid))
      kinds.push_back(Activation::sigmoid);
    else
      return std::nullopt;
  }
  if (kinds.empty() || kinds.size() > cpu::kMostActivations) return std::nullopt;
  return kinds;
}

at::Tensor highway_sum(const at::Tensor& states, const at::Tensor& product, const at::Tensor& weights,
                       const std::vector<Activation>& activations) {
  return HighwaySum::apply(states, product, weights.contiguous(), activations);
}

}  // namespace mixop
