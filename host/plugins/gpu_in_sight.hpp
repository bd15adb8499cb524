#pragma once

#include <filesystem>

namespace mixop {

/// Whether the folder `devices` shows a sign of a GPU; no CUDA library is loaded for it.
bool gpu_in_sight(const std::filesystem::path& devices = "/dev");

}  // namespace mixop
