#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "host/weights/input_file.hpp"
#include "host/weights/weight_file.hpp"

// Private to host/weights: the formats that WeightFile::open() tells apart.

namespace mixop {

std::unique_ptr<WeightFile> open_torch_zip(const std::filesystem::path& path);

/// By the first 14 bytes of a file.
bool is_torch_legacy(std::span<const std::byte> begin);
std::unique_ptr<WeightFile> open_torch_legacy(InputFile file);

std::unique_ptr<WeightFile> open_safetensors(InputFile file);

}  // namespace mixop
