// libmixop_cuda.so: what needs CUDA. Loading it brings in LibTorch's CUDA libraries.

#include "host/cuda/library.hpp"

#include <ATen/Context.h>

std::int32_t mixop_cuda_device_count() {
  if (!at::Context::hasCUDART()) return -1;
  return static_cast<std::int32_t>(at::getNumGPUs());
}
