// Stands in for @file@.cu where there is no nvcc.
#include <torch/headeronly/util/BFloat16.h>

#include "@file@_pass.hpp"
#include "mixop/error.hpp"

int cuda_devices() { return 0; }

template <class T>
void run_on_cuda(const @class@Pass<T>&, std::int32_t) {
  throw mixop::Error(mixop::ErrorCode::unsupported,
                     "this build has no CUDA kernel: expected a tensor on the CPU, found one on a CUDA device; rebuild "
                     "it where nvcc is found");
}

template void run_on_cuda(const @class@Pass<float>&, std::int32_t);
template void run_on_cuda(const @class@Pass<double>&, std::int32_t);
template void run_on_cuda(const @class@Pass<torch::headeronly::BFloat16>&, std::int32_t);
