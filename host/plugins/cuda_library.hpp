#pragma once

#include <cstdint>
#include <filesystem>

#include "host/plugins/search_path.hpp"

namespace mixop {

/// Loads `library`, and with it LibTorch's CUDA libraries, and returns how many CUDA devices LibTorch finds. The first
/// call must come before LibTorch is asked about CUDA; later ones load nothing. Throws Error where CUDA cannot be loaded.
std::int64_t load_cuda(const std::filesystem::path& library = installed_cuda_library());

}  // namespace mixop
