#include <cuda_runtime.h>
#include <dlfcn.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <string>

#include "mixop/error.hpp"
#include "strided_copy.hpp"

namespace mixop::cuda_probe {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMostBlocks = 65535;

template <class Word>
__global__ void strided_copy(StridedCopy copy, std::int64_t count) {
  const auto* from = static_cast<const Word*>(copy.from);
  auto* to = static_cast<Word*>(copy.to);
  const std::int64_t step = std::int64_t{blockDim.x} * gridDim.x;
  for (std::int64_t flat = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; flat < count; flat += step) {
    std::int64_t rest = flat, read = 0, write = 0;
    for (int axis = 3; axis >= 0; --axis) {
      const std::int64_t index = rest % copy.sizes[axis];
      rest /= copy.sizes[axis];
      read += index * copy.from_strides[axis];
      write += index * copy.to_strides[axis];
    }
    to[write] = from[read];
  }
}

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw Error(ErrorCode::failed, std::string("cuda_probe: ") + what + ": " + cudaGetErrorString(status));
}

/// LibTorch's current stream of a device. The function is looked up rather than linked, so that the plugin loads without
/// LibTorch's CUDA libraries; whoever made a tensor on a CUDA device has loaded them.
cudaStream_t current_stream(std::int32_t device_index) {
  const auto get = reinterpret_cast<decltype(&aoti_torch_get_current_cuda_stream)>(
      dlsym(RTLD_DEFAULT, "aoti_torch_get_current_cuda_stream"));
  void* stream = nullptr;
  if (get == nullptr || get(device_index, &stream) != AOTI_TORCH_SUCCESS)
    throw Error(ErrorCode::failed, "cuda_probe: LibTorch gave no current CUDA stream");
  return static_cast<cudaStream_t>(stream);
}

/// Makes a device current in this library's own CUDA runtime, and the former one again at the end.
class DeviceScope {
 public:
  explicit DeviceScope(int device) {
    check(cudaGetDevice(&former_), "cudaGetDevice");
    check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~DeviceScope() { cudaSetDevice(former_); }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int former_ = 0;
};

}  // namespace

void copy_on_cuda(const StridedCopy& copy, std::int32_t device_index) {
  const std::int64_t count = copy.sizes[0] * copy.sizes[1] * copy.sizes[2] * copy.sizes[3];
  if (count == 0) return;
  const cudaStream_t stream = current_stream(device_index);
  const DeviceScope device(device_index);
  const std::int64_t wanted = (count + kThreads - 1) / kThreads;
  const auto blocks = static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
  if (copy.element_bytes == 2) strided_copy<std::uint16_t><<<blocks, kThreads, 0, stream>>>(copy, count);
  if (copy.element_bytes == 4) strided_copy<std::uint32_t><<<blocks, kThreads, 0, stream>>>(copy, count);
  if (copy.element_bytes == 8) strided_copy<std::uint64_t><<<blocks, kThreads, 0, stream>>>(copy, count);
  check(cudaGetLastError(), "kernel launch");
}

}  // namespace mixop::cuda_probe
