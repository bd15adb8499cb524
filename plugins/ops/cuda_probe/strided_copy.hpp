#pragma once

#include <cstddef>
#include <cstdint>

namespace mixop::cuda_probe {

/// Copies every element [n, c, i, j] of `from` to the same place of `to`; strides count elements.
struct StridedCopy {
  const void* from;
  void* to;
  std::int64_t from_strides[4];
  std::int64_t to_strides[4];
  std::int64_t sizes[4];
  std::size_t element_bytes;  ///< 2, 4 or 8
};

/// On the CUDA device `device_index` and its current stream. Throws mixop::Error where the launch fails, and always in
/// a build without CUDA.
void copy_on_cuda(const StridedCopy& copy, std::int32_t device_index);

}  // namespace mixop::cuda_probe
