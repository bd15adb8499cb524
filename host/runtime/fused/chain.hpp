#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "host/runtime/module.hpp"

namespace mixop {

/// A window that moves over a map: (height, width) each.
struct Window {
  Pair kernel{1, 1};
  Pair stride{1, 1};
  Pair padding{0, 0};
  Pair dilation{1, 1};
  Pair shift{0, 0};  ///< its first place, seen from where padding puts it

  std::int64_t taps() const { return kernel[0] * kernel[1]; }
  friend bool operator==(const Window&, const Window&) = default;
};

/// A batch norm. Candidates that begin alike share its computation; each has running statistics of its own.
struct Norm {
  struct Statistics {
    at::Tensor mean, variance, count;
  };
  at::Tensor weight, bias;  ///< undefined without affine
  std::vector<Statistics> running;
  double epsilon = 1e-5;
  double momentum = 0.1;
};

/// What is computed between two passes over a map: relu, a depthwise convolution or a pool, dense convolutions side by
/// side, and the batch statistics of what comes out.
struct Unit {
  enum class Kind { convolution, max_pool, avg_pool };
  /// A dense convolution; the output channels of all parts follow each other.
  struct Part {
    at::Tensor weight;  ///< [out, in, height, width]
    Window window;
  };

  Kind kind = Kind::convolution;
  bool relu = false;
  std::int64_t in = 0, out = 0;
  std::optional<Window> window;  ///< of the depthwise convolution or the pool, on `in` channels
  at::Tensor depthwise;          ///< [in, 1, height, width]
  std::vector<Part> parts;
  std::optional<Norm> norm;

  /// Those over the input: that of the depthwise convolution or the pool, else those of the parts.
  std::vector<Window> windows() const;
};

/// A candidate as units, one on the output of the other; none: the identity. No chain where a stage is none of theirs.
using Chain = std::vector<Unit>;
std::optional<Chain> chain_of(const Module& module);

/// Whether both compute the same on the same input, because they have no parameters.
bool computes_the_same(const Chain& a, const Chain& b);

}  // namespace mixop
