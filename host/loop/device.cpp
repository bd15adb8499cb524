#include "host/loop/device.hpp"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>

#include "host/plugins/cuda_library.hpp"
#include "host/plugins/gpu_in_sight.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

/// What "auto" takes, and what it went by.
struct Choice {
  at::Device device = at::kCPU;
  std::string reason;
};

std::string found_text(std::int64_t devices) {
  return "LibTorch finds " + std::to_string(devices) + " CUDA device(s) on this machine";
}

Choice choose() {
  if (!gpu_in_sight()) return {at::kCPU, "no sign of a GPU"};
  try {
    if (const std::int64_t devices = cuda_device_count(); devices > 0)
      return {at::Device(at::kCUDA, 0), found_text(devices)};
    return {at::kCPU, found_text(0)};
  } catch (const Error& error) {
    return {at::kCPU, error.what()};
  }
}

std::int64_t cuda_devices(const std::string& asked) {
  try {
    return cuda_device_count();
  } catch (const Error& error) {
    throw Error(ErrorCode::usage,
                "device: '" + asked + "' was asked for, but " + error.what() + "; or set device=cpu or auto");
  }
}

std::int64_t cores() { return std::max<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN), 1); }

}  // namespace

at::Device device_of(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return choose().device;
  const at::Device device = name == "cuda" ? at::Device(at::kCUDA, 0) : at::Device(name);
  if (const std::int64_t devices = cuda_devices(name); device.index() >= devices)
    throw Error(ErrorCode::usage, "device: '" + name + "' was asked for, but " + found_text(devices) +
                                      "; set device=cpu or auto");
  return device;
}

std::string device_text(const std::string& name) {
  if (name != "auto") return device_of(name).str();
  const Choice choice = choose();
  return choice.device.str() + " (auto: " + choice.reason + ")";
}

void use_threads(std::int64_t threads) {
  if (threads > 0) at::set_num_threads(static_cast<int>(std::min(threads, cores())));
}

std::string fewer_threads(std::int64_t threads) {
  if (threads <= cores()) return "";
  return "threads is " + std::to_string(threads) + ", and this machine has " + std::to_string(cores()) +
         " core(s), of which a thread each is used: sums are rounded in another way than with more threads, so that "
         "the same bits are not promised";
}

}  // namespace mixop
