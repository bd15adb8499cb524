#pragma once

#include <cstdint>
#include <filesystem>

#include "host/plugins/search_path.hpp"

namespace mixop {

/// Loads `library`, and with it LibTorch's CUDA libraries; later calls load nothing. Throws Error where they cannot be
/// loaded.
void load_cuda(const std::filesystem::path& library = installed_cuda_library());

/// Loads `library` as load_cuda() does and returns how many CUDA devices LibTorch finds. The first load must come before
/// LibTorch is asked about CUDA.
std::int64_t cuda_device_count(const std::filesystem::path& library = installed_cuda_library());

}  // namespace mixop
