#pragma once

#include <vector>

#include "mixop/relaxed.hpp"

namespace mixop::test {

/// Tensors as relaxed alphas, all of whose operations are computed.
inline std::vector<Relaxed> as_relaxed(const std::vector<at::Tensor>& tensors) {
  std::vector<Relaxed> relaxed;
  for (const at::Tensor& tensor : tensors) relaxed.push_back({tensor});
  return relaxed;
}

}  // namespace mixop::test
