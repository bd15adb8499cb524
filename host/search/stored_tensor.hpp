#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "host/archive/archive.hpp"

namespace mixop {

/// Whether archives hold tensors of that type: Float, Double, Byte, Int and Long.
bool is_storable(at::ScalarType type);

/// A tensor of such a type as an array; others are an error of code unsupported that names the path.
void put_tensor(ArchiveBuilder& archive, const std::string& path, const at::Tensor& tensor);
/// An array as a tensor on the CPU.
at::Tensor get_tensor(const Archive& archive, const std::string& path);

}  // namespace mixop
