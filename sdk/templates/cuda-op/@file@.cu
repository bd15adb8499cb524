#include <torch/headeronly/util/BFloat16.h>

#include "@file@_pass.hpp"
#include "mixop/cuda_launch.cuh"

template <class T>
__global__ void run_pass(@class@Pass<T> pass) {
  const std::int64_t step = std::int64_t{blockDim.x} * gridDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < pass.count; i += step)
    pass.to[i] = pass.at(i);
}

template <class T>
void run_on_cuda(const @class@Pass<T>& pass, std::int32_t device) {
  const mixop::CudaLaunch launch(device);
  run_pass<<<launch.blocks(pass.count), launch.threads, 0, launch.stream()>>>(pass);
  launch.check();
}

int cuda_devices() { return mixop::CudaLaunch::devices(); }

template void run_on_cuda(const @class@Pass<float>&, std::int32_t);
template void run_on_cuda(const @class@Pass<double>&, std::int32_t);
template void run_on_cuda(const @class@Pass<torch::headeronly::BFloat16>&, std::int32_t);
