#include "mixop/cuda_launch.cuh"
#include "strided_copy.hpp"

namespace mixop::cuda_probe {
namespace {

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

}  // namespace

void copy_on_cuda(const StridedCopy& copy, std::int32_t device_index) {
  const std::int64_t count = copy.sizes[0] * copy.sizes[1] * copy.sizes[2] * copy.sizes[3];
  const CudaLaunch launch(device_index);
  const unsigned blocks = launch.blocks(count);
  if (copy.element_bytes == 2) strided_copy<std::uint16_t><<<blocks, launch.threads, 0, launch.stream()>>>(copy, count);
  if (copy.element_bytes == 4) strided_copy<std::uint32_t><<<blocks, launch.threads, 0, launch.stream()>>>(copy, count);
  if (copy.element_bytes == 8) strided_copy<std::uint64_t><<<blocks, launch.threads, 0, launch.stream()>>>(copy, count);
  launch.check();
}

}  // namespace mixop::cuda_probe
