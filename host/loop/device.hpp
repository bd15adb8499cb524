#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

namespace mixop {

/// "auto", "cpu", "cuda" or "cuda:N" as a device; throws a usage error where there is no such device. The first call for
/// a GPU loads LibTorch's CUDA libraries, see cuda_device_count().
at::Device device_of(const std::string& name);

/// The device for messages; of "auto" with what it went by: "cpu (auto: no sign of a GPU)".
std::string device_text(const std::string& name);

/// Has LibTorch compute with `threads` threads, but with no more than the machine has cores; 0 leaves its own number.
void use_threads(std::int64_t threads);

/// What is said where `threads` is more than use_threads() takes; empty where it is not.
std::string fewer_threads(std::int64_t threads);

}  // namespace mixop
