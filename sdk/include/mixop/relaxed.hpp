#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace mixop {

/// One alpha set as the network sees it.
struct Relaxed {
  at::Tensor weights;  ///< of the set's shape
  /// In the order of the tensor: which operations are computed. The others take no part and have no gradient. Empty:
  /// all.
  std::vector<bool> active{};
  /// [..., edges, 1] where the edges are weighed: what passes an edge's operations by is multiplied by it, as `weights` are
  /// already. Undefined: 1.
  at::Tensor edges{};
};

}  // namespace mixop
