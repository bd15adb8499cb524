#include "host/loop/device.hpp"

#include <ATen/ATen.h>

#include "mixop/error.hpp"

namespace mixop {

at::Device device_of(const std::string& name) {
  const auto devices = at::hasCUDA() ? static_cast<std::int64_t>(at::getNumGPUs()) : 0;
  if (name == "cpu" || (name == "auto" && devices == 0)) return at::Device(at::kCPU);
  const at::Device device = name == "auto" || name == "cuda" ? at::Device(at::kCUDA, 0) : at::Device(name);
  if (device.index() >= devices)
    throw Error(ErrorCode::usage, "device: '" + name + "' was asked for, but LibTorch finds " +
                                      std::to_string(devices) +
                                      " CUDA device(s) on this machine; set device=cpu or auto");
  return device;
}

}  // namespace mixop
