// cuda_probe: the identity, subsampled where the stride is 2, through a kernel of its own on CUDA devices. It shows
// that a plugin with CUDA sources builds and links, in the stable tier and with an exported backward.

#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <cstring>
#include <string>
#include <utility>

#include "mixop/abi/ext/backward.h"
#include "mixop/abi/ext/cost.h"
#include "mixop/plugin.hpp"
#include "strided_copy.hpp"

namespace mixop::cuda_probe {
namespace {

struct Instance {
  std::int64_t stride;
};

std::int64_t stride_of(MixopOpInstance* instance) { return reinterpret_cast<Instance*>(instance)->stride; }

void check(AOTITorchError status, const char* what) {
  if (status != AOTI_TORCH_SUCCESS)
    throw Error(ErrorCode::failed, std::string("cuda_probe: LibTorch failed in ") + what);
}

/// What a handle says of its tensor, which must be NCHW.
struct View {
  explicit View(MixopTensor tensor) {
    std::int64_t dimensions = 0;
    check(aoti_torch_get_dim(tensor, &dimensions), "get_dim");
    if (dimensions != 4)
      throw Error(ErrorCode::usage, "cuda_probe: expected a tensor [N, C, H, W], found one of " +
                                        std::to_string(dimensions) + " dimensions");
    check(aoti_torch_get_data_ptr(tensor, &data), "get_data_ptr");
    check(aoti_torch_get_sizes(tensor, &sizes), "get_sizes");
    check(aoti_torch_get_strides(tensor, &strides), "get_strides");
    check(aoti_torch_get_dtype(tensor, &dtype), "get_dtype");
    check(aoti_torch_get_device_type(tensor, &device_type), "get_device_type");
    check(aoti_torch_get_device_index(tensor, &device_index), "get_device_index");
    element_bytes = aoti_torch_dtype_element_size(dtype);
    if (element_bytes != 2 && element_bytes != 4 && element_bytes != 8)
      throw Error(ErrorCode::usage,
                  "cuda_probe: expected elements of 2, 4 or 8 bytes, found " + std::to_string(element_bytes));
  }
  void* data = nullptr;
  std::int64_t* sizes = nullptr;
  std::int64_t* strides = nullptr;
  std::int32_t dtype = 0, device_type = 0, device_index = 0;
  std::size_t element_bytes = 0;
};

/// A new contiguous tensor of the element type and device of `like`; freed unless released.
class Made {
 public:
  Made(const View& like, const std::int64_t (&sizes)[4]) {
    const std::int64_t strides[4] = {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1};
    check(aoti_torch_empty_strided(4, sizes, strides, like.dtype, like.device_type, like.device_index, &handle_),
          "empty_strided");
  }
  ~Made() {
    if (handle_ != nullptr) aoti_torch_delete_tensor_object(handle_);
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  MixopTensor get() const { return handle_; }
  MixopTensor release() { return std::exchange(handle_, nullptr); }

 private:
  AtenTensorHandle handle_ = nullptr;
};

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

/// Copies between the dense side and every `stride`-th row and column of the other one; each says by how much it steps.
void copy(const View& from, std::int64_t from_step, const View& to, std::int64_t to_step, const std::int64_t* sizes) {
  StridedCopy job{from.data, to.data, {}, {}, {}, from.element_bytes};
  for (int axis = 0; axis < 4; ++axis) {
    job.sizes[axis] = sizes[axis];
    job.from_strides[axis] = from.strides[axis] * (axis >= 2 ? from_step : 1);
    job.to_strides[axis] = to.strides[axis] * (axis >= 2 ? to_step : 1);
  }
  if (from.device_type == aoti_torch_device_type_cuda()) return copy_on_cuda(job, from.device_index);
  if (from.device_type != aoti_torch_device_type_cpu())
    throw Error(ErrorCode::unsupported, "cuda_probe: expected a tensor on the CPU or a CUDA device");
  if (job.element_bytes == 2) copy_on_cpu<std::uint16_t>(job);
  if (job.element_bytes == 4) copy_on_cpu<std::uint32_t>(job);
  if (job.element_bytes == 8) copy_on_cpu<std::uint64_t>(job);
}

MixopTensor forward(std::int64_t stride, MixopTensor input) {
  const View x(input);
  const std::int64_t sizes[4] = {x.sizes[0], x.sizes[1], (x.sizes[2] + stride - 1) / stride,
                                 (x.sizes[3] + stride - 1) / stride};
  Made output(x, sizes);
  copy(x, stride, View(output.get()), 1, sizes);
  return output.release();
}

MixopTensor backward(std::int64_t stride, MixopTensor input, MixopTensor grad_output) {
  const View x(input), gradient(grad_output);
  const std::int64_t sizes[4] = {x.sizes[0], x.sizes[1], x.sizes[2], x.sizes[3]};
  Made result(x, sizes);
  check(aoti_torch_zero_(result.get()), "zero_");
  copy(gradient, 1, View(result.get()), stride, gradient.sizes);
  return result.release();
}

MixopOpInstance* make_instance(const MixopOpSpec& spec) {
  if (spec.in != spec.out)
    throw Error(ErrorCode::unsupported, "cuda_probe: expected as many channels out as in, found " +
                                            std::to_string(spec.in) + " in and " + std::to_string(spec.out) + " out");
  return reinterpret_cast<MixopOpInstance*>(new Instance{spec.stride});
}

const MixopBackward kBackward = {
    sizeof(MixopBackward), 0,
    [](MixopOpInstance* instance, MixopTensor input, MixopTensor, MixopTensor grad_output, const MixopForward*,
       MixopTensor* grad_input, MixopTensor*, MixopError* error) {
      return guarded(error, [&] { *grad_input = backward(stride_of(instance), input, grad_output); });
    }};

/// Nothing to learn and nothing to multiply.
const MixopCostTable kCost = {
    sizeof(MixopCostTable), 0,
    [](const MixopOpSpec* spec, std::int64_t height, std::int64_t width, MixopCost* cost, MixopError*) -> MixopStatus {
      const std::int64_t s = spec->stride;
      cost->parameters = 0;
      cost->multiply_adds = 0;
      cost->activations = spec->out * ((height + s - 1) / s) * ((width + s - 1) / s);
      return MIXOP_OK;
    }};

const void* extension(const char* id) {
  if (std::strcmp(id, MIXOP_BACKWARD_EXTENSION) == 0) return &kBackward;
  if (std::strcmp(id, MIXOP_COST_EXTENSION) == 0) return &kCost;
  return nullptr;
}

MixopOperator make_table() {
  MixopOperator table{};
  table.size = sizeof table;
  table.domain = MIXOP_DOMAIN_IMAGE;
  table.create = [](const MixopOpSpec* spec, MixopOpInstance** instance, MixopError* error) {
    return guarded(error, [&] { *instance = make_instance(*spec); });
  };
  table.destroy = [](MixopOpInstance* instance) { delete reinterpret_cast<Instance*>(instance); };
  table.forward = [](MixopOpInstance* instance, MixopTensor input, const MixopForward*, MixopTensor* output,
                     MixopError* error) {
    return guarded(error, [&] { *output = forward(stride_of(instance), input); });
  };
  table.state_count = [](MixopOpInstance*) -> std::uint32_t { return 0; };
  table.state = [](MixopOpInstance*, std::uint32_t, MixopState*, MixopError* error) {
    return guarded(error, [] { throw Error(ErrorCode::usage, "cuda_probe: it has no parameters and no buffers"); });
  };
  table.get_extension = extension;
  return table;
}

const MixopOperator kTable = make_table();

}  // namespace
}  // namespace mixop::cuda_probe

MIXOP_PLUGIN("mixop.ops.cuda_probe", "1.0.0", "The identity by a CUDA kernel: shows that CUDA plugins build and load.",
             {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, "cuda_probe", MIXOP_OPERATOR_INTERFACE,
              &mixop::cuda_probe::kTable});
