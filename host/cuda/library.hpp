#pragma once

#include <cstdint>

extern "C" {

/// How many CUDA devices LibTorch can use, or -1 where it was asked about CUDA before this library was loaded: what it
/// found then stays. The program finds this function by its name.
__attribute__((visibility("default"))) std::int32_t mixop_cuda_device_count();
}
