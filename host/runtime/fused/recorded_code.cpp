#include "host/runtime/fused/recorded_code.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <optional>

namespace mixop {

template <class T>
void RecordedCode<T>::run(const Code& code, const Maps<T>& x, const Forward& how, bool records) {
  const at::AutoGradMode grad(records);
  leaf_ = tensor_of(x, x.data);
  if (records) leaf_.set_requires_grad(true);
  result_ = code(leaf_, how);
  output_ = dense(result_);
}

template <class T>
at::Tensor RecordedCode<T>::like_output() const {
  return at::empty_like(output_);
}

template <class T>
std::vector<at::Tensor> RecordedCode<T>::backward(const at::Tensor& gradient, const std::vector<at::Tensor>& parameters,
                                                  at::Tensor& of_input) {
  std::vector<at::Tensor> gradients(parameters.size());
  if (!result_.requires_grad()) return gradients;
  torch::autograd::variable_list leaves{leaf_};
  for (const at::Tensor& parameter : parameters)
    if (parameter.requires_grad()) leaves.push_back(parameter);
  const torch::autograd::variable_list found =
      torch::autograd::grad({result_}, leaves, {gradient}, /*retain_graph=*/std::nullopt, /*create_graph=*/false,
                            /*allow_unused=*/true);
  of_input = found[0];
  std::size_t next = 1;
  for (std::size_t p = 0; p < parameters.size(); ++p)
    if (parameters[p].requires_grad()) gradients[p] = found[next++];
  return gradients;
}

template class RecordedCode<float>;
template class RecordedCode<double>;

}  // namespace mixop
