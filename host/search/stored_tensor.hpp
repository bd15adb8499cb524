#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "host/archive/archive.hpp"

namespace mixop {

/// A float or integer tensor as an array.
void put_tensor(ArchiveBuilder& archive, const std::string& path, const at::Tensor& tensor);
/// An array as a tensor on the CPU.
at::Tensor get_tensor(const Archive& archive, const std::string& path);

}  // namespace mixop
