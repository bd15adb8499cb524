// Stands in for cuda_library.cpp where LibTorch has no CUDA.

#include "host/plugins/cuda_library.hpp"
#include "mixop/error.hpp"

namespace mixop {

void load_cuda(const std::filesystem::path& library) { (void)cuda_device_count(library); }

std::int64_t cuda_device_count(const std::filesystem::path&) {
  throw Error(ErrorCode::unsupported,
              "this mixop was built with a LibTorch without CUDA; build it with one that has CUDA");
}

}  // namespace mixop
