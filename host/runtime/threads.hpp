#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>

#include <cstdint>

#include "mixop/error.hpp"

namespace mixop {

/// Calls body(begin, end) for ranges of 0 .. count - 1 on LibTorch's threads, each range of `grain` or more, and returns when
/// all are done. Which ranges there are follows from the number of threads alone; within such a call, one range. The body
/// throws nothing. LibTorch's own template of this name runs on one thread in code that is compiled without OpenMP, whose
/// library is not the one that LibTorch brings.
template <class Body>
void for_ranges(std::int64_t count, std::int64_t grain, const Body& body) {
  const auto call = [](std::int64_t begin, std::int64_t end, void* context) {
    (*static_cast<const Body*>(context))(begin, end);
  };
  if (torch_parallel_for(0, count, grain, call, const_cast<void*>(static_cast<const void*>(&body))) != AOTI_TORCH_SUCCESS)
    throw Error(ErrorCode::failed, "LibTorch's threads failed; the reason stands above on stderr");
}

}  // namespace mixop
