#pragma once

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <cstdint>
#include <string>

#include "mixop/error.hpp"

namespace mixop {

/// What the launch of a kernel on a tensor's device needs. While it lives the device is current in the plugin's own
/// CUDA runtime:
///   const CudaLaunch launch(tensor.get_device_index());
///   kernel<<<launch.blocks(count), launch.threads, 0, launch.stream()>>>(...);
///   launch.check();
class CudaLaunch {
 public:
  static constexpr int threads = 256;

  explicit CudaLaunch(std::int32_t device) : stream_(current_stream(device)) {
    check(cudaGetDevice(&former_), "cudaGetDevice");
    check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~CudaLaunch() { cudaSetDevice(former_); }
  CudaLaunch(const CudaLaunch&) = delete;
  CudaLaunch& operator=(const CudaLaunch&) = delete;

  /// CUDA devices of this machine.
  static int devices() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
  }

  /// Blocks for so many numbers, at least one and at most as many as a grid has: kernels step on by the whole grid.
  unsigned blocks(std::int64_t count) const {
    constexpr std::int64_t most = 65535;
    const std::int64_t wanted = (count + threads - 1) / threads;
    return static_cast<unsigned>(wanted < 1 ? 1 : wanted < most ? wanted : most);
  }
  /// LibTorch's current stream of the device.
  cudaStream_t stream() const { return stream_; }
  /// Throws where the launch failed.
  void check() const { check(cudaGetLastError(), "kernel launch"); }

 private:
  static void check(cudaError_t status, const char* what) {
    if (status != cudaSuccess) throw Error(ErrorCode::failed, std::string(what) + ": " + cudaGetErrorString(status));
  }

  /// Looked up rather than linked, so that the plugin loads without LibTorch's CUDA libraries; whoever made a tensor on
  /// a CUDA device has loaded them.
  static cudaStream_t current_stream(std::int32_t device) {
    using Get = std::int32_t (*)(std::int32_t device, void** stream);
    const auto get = reinterpret_cast<Get>(dlsym(RTLD_DEFAULT, "aoti_torch_get_current_cuda_stream"));
    void* stream = nullptr;
    if (get == nullptr || get(device, &stream) != 0)
      throw Error(ErrorCode::failed, "LibTorch gave no current CUDA stream");
    return static_cast<cudaStream_t>(stream);
  }

  cudaStream_t stream_;
  int former_ = 0;
};

}  // namespace mixop
