#pragma once

#include <ATen/ATen.h>
#include <torch/library.h>

#include <array>
#include <optional>
#include <tuple>

// LibTorch's C++ library has no meta kernels of a few operators (they are written in Python): their shapes, for tests that
// run where no tensor has numbers. Include it in one file alone.

namespace mixop::test::meta {

using Optional = std::optional<at::Tensor>;

inline at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, const Optional&,
                              c10::SymIntArrayRef stride, c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation,
                              bool, c10::SymIntArrayRef, c10::SymInt) {
  std::vector<std::int64_t> sizes{input.size(0), weight.size(0)};
  for (std::int64_t axis = 0; axis < input.dim() - 2; ++axis) {
    const auto at_axis = [&](c10::SymIntArrayRef list) { return list[list.size() == 1 ? 0 : axis].expect_int(); };
    const std::int64_t reach = at_axis(dilation) * (weight.size(axis + 2) - 1) + 1;
    sizes.push_back((input.size(axis + 2) + 2 * at_axis(padding) - reach) / at_axis(stride) + 1);
  }
  return at::empty(sizes, input.options());
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor&, const at::Tensor& input, const at::Tensor& weight, c10::SymIntArrayRef, c10::SymIntArrayRef,
    c10::SymIntArrayRef, bool, c10::SymIntArrayRef, c10::SymInt, std::array<bool, 3> wanted) {
  return {wanted[0] ? at::empty_like(input) : at::Tensor(), wanted[1] ? at::empty_like(weight) : at::Tensor(),
          wanted[2] ? at::empty({weight.size(0)}, weight.options()) : at::Tensor()};
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(const at::Tensor& input, const Optional&,
                                                                 const Optional&, const Optional&, const Optional&,
                                                                 bool, double, double) {
  const at::Tensor channel = at::empty({input.size(1)}, input.options());
  return {at::empty_like(input), channel, at::empty_like(channel)};
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm_backward(
    const at::Tensor&, const at::Tensor& input, const Optional&, const Optional&, const Optional&, const Optional&,
    const Optional&, bool, double, std::array<bool, 3> wanted) {
  const auto channel = [&](bool is_wanted) {
    return is_wanted ? at::empty({input.size(1)}, input.options()) : at::Tensor();
  };
  return {at::empty_like(input), channel(wanted[1]), channel(wanted[2])};
}

inline at::Tensor alike(const at::Tensor& x) { return at::empty_like(x); }
inline at::Tensor channel_shuffle(const at::Tensor& x, c10::SymInt) { return at::empty_like(x); }
inline at::Tensor& itself(at::Tensor& x) { return x; }

inline at::Tensor dot(const at::Tensor& one, const at::Tensor& other) {
  TORCH_CHECK(one.dim() == 1 && one.sizes() == other.sizes(), "dot of other shapes");
  return at::empty({}, one.options());
}

inline at::Tensor index_select(const at::Tensor& from, std::int64_t dim, const at::Tensor& index) {
  std::vector<std::int64_t> sizes = from.sizes().vec();
  sizes[static_cast<std::size_t>(dim < 0 ? dim + from.dim() : dim)] = index.numel();
  return at::empty(sizes, from.options());
}

inline at::Tensor embedding_backward(const at::Tensor& gradient, const at::Tensor&, c10::SymInt words, c10::SymInt,
                                     bool) {
  return at::empty({words.expect_int(), gradient.size(-1)}, gradient.options());
}

inline void check_alike(at::TensorList self, at::TensorList gradients) {
  TORCH_CHECK(self.size() == gradients.size(), "another number of gradients");
  for (std::size_t i = 0; i < self.size(); ++i)
    TORCH_CHECK(self[i].sizes() == gradients[i].sizes(), "a gradient of another shape");
}

inline void sgd(at::TensorList self, at::TensorList gradients, at::TensorList, double, double, double, double, bool,
                bool, bool, const Optional&, const Optional&) {
  check_alike(self, gradients);
}

inline void adam(at::TensorList self, at::TensorList gradients, at::TensorList, at::TensorList, at::TensorList,
                 at::TensorList, double, double, double, double, double, bool, bool, const Optional&, const Optional&) {
  check_alike(self, gradients);
}

}  // namespace mixop::test::meta

TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("convolution_overrideable", mixop::test::meta::convolution);
  library.impl("convolution_backward_overrideable", mixop::test::meta::convolution_backward);
  library.impl("native_batch_norm", mixop::test::meta::batch_norm);
  library.impl("native_batch_norm_backward", mixop::test::meta::batch_norm_backward);
  library.impl("relu", mixop::test::meta::alike);
  library.impl("relu_", mixop::test::meta::itself);
  library.impl("channel_shuffle", mixop::test::meta::channel_shuffle);
  library.impl("dot", mixop::test::meta::dot);
  library.impl("index_select", mixop::test::meta::index_select);
  library.impl("embedding_dense_backward", mixop::test::meta::embedding_backward);
  library.impl("_fused_sgd_", mixop::test::meta::sgd);
  library.impl("_fused_adam_", mixop::test::meta::adam);
}
