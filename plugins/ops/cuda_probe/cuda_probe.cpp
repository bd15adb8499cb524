// cuda_probe: the identity, subsampled where the stride is 2, through a kernel of its own on CUDA devices. It shows
// that a plugin with CUDA sources builds and links, in the stable tier and with an exported backward.

#include "mixop/plugin.hpp"
#include "mixop/stable_operator.hpp"
#include "strided_copy.hpp"

namespace mixop::cuda_probe {
namespace {

template <class Word>
void copy_on_cpu(const StridedCopy& copy) {
  const auto* from = static_cast<const Word*>(copy.from);
  auto* to = static_cast<Word*>(copy.to);
  const auto& [n_from, c_from, h_from, w_from] = copy.from_strides;
  const auto& [n_to, c_to, h_to, w_to] = copy.to_strides;
  for (std::int64_t n = 0; n < copy.sizes[0]; ++n)
    for (std::int64_t c = 0; c < copy.sizes[1]; ++c)
      for (std::int64_t i = 0; i < copy.sizes[2]; ++i)
        for (std::int64_t j = 0; j < copy.sizes[3]; ++j)
          to[n * n_to + c * c_to + i * h_to + j * w_to] = from[n * n_from + c * c_from + i * h_from + j * w_from];
}

void require_images(const StableTensor& tensor) {
  if (tensor.dim() != 4)
    throw Error(ErrorCode::usage,
                "expected a tensor [N, C, H, W], found one of " + std::to_string(tensor.dim()) + " dimensions");
  const std::size_t bytes = tensor.element_size();
  if (bytes != 2 && bytes != 4 && bytes != 8)
    throw Error(ErrorCode::usage, "expected elements of 2, 4 or 8 bytes, found " + std::to_string(bytes));
}

/// Copies between the dense side and every `stride`-th row and column of the other one; each says by how much it steps.
void copy(const StableTensor& from, std::int64_t from_step, const StableTensor& to, std::int64_t to_step,
          const StableTensor& dense) {
  const bool cuda = on_cuda(from);
  StridedCopy job{from.const_data_ptr(), to.mutable_data_ptr(), {}, {}, {}, from.element_size()};
  for (int axis = 0; axis < 4; ++axis) {
    job.sizes[axis] = dense.size(axis);
    job.from_strides[axis] = from.stride(axis) * (axis >= 2 ? from_step : 1);
    job.to_strides[axis] = to.stride(axis) * (axis >= 2 ? to_step : 1);
  }
  if (cuda) return copy_on_cuda(job, from.get_device_index());
  if (job.element_bytes == 2) copy_on_cpu<std::uint16_t>(job);
  if (job.element_bytes == 4) copy_on_cpu<std::uint32_t>(job);
  if (job.element_bytes == 8) copy_on_cpu<std::uint64_t>(job);
}

class Probe {
 public:
  explicit Probe(const OpSpec& spec) : stride_(spec.stride) { require_same_channels(spec); }

  StableTensor forward(const StableTensor& x, const Forward&) const {
    require_images(x);
    const auto output = torch::stable::new_empty(x, {x.size(0), x.size(1), strided(x.size(2)), strided(x.size(3))});
    copy(x, stride_, output, 1, output);
    return output;
  }
  StableTensor backward(const StableTensor& x, const StableTensor&, const StableTensor& grad_output,
                        const Forward&) const {
    const auto result = torch::stable::new_zeros(x, x.sizes());
    copy(grad_output, 1, result, stride_, grad_output);
    return result;
  }
  /// Nothing to learn and nothing to multiply.
  static OperatorCost cost(const OpSpec& spec, const ImageShape& in) {
    return {.activations = numbers_of(mixop::strided(in, spec.stride))};
  }

 private:
  std::int64_t strided(std::int64_t side) const { return (side + stride_ - 1) / stride_; }
  std::int64_t stride_;
};

}  // namespace
}  // namespace mixop::cuda_probe

MIXOP_PLUGIN("mixop.ops.cuda_probe", "1.0.0", "The identity by a CUDA kernel: shows that CUDA plugins build and load.",
             mixop::stable_operator<mixop::cuda_probe::Probe>("cuda_probe"));
