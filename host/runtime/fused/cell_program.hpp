#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "host/runtime/fused/chain.hpp"
#include "host/runtime/plain_block.hpp"

namespace mixop {

/// A block as a fused execution sees it: operations on nodes, each computed once, and weighted sums of what they give.
/// Where candidates see some of the channels (Choice::channel_divisor), a node that they read has two slices beside it:
/// these channels and the others. One that they feed interleaves two: the sum of the candidates, and that of the channels
/// that passed them by.
struct CellProgram {
  /// Units, the identity (no units), or code that is run as it is.
  struct Operation {
    int from = 0;
    Chain chain;
    std::function<at::Tensor(const at::Tensor&, const Forward&)> own_code{};  ///< in place of the chain
    std::vector<at::Tensor> own_parameters{};
  };
  /// factor * output of an operation is a term of a node.
  struct Term {
    std::size_t operation = 0;
    std::size_t copy = 0;  ///< which of the candidates that share the operation it is
    int to = 0;
    std::optional<AlphaRef> alphas{};  ///< where its factor is an alpha's weight, or that of an edge: otherwise 1
    std::size_t candidate = 0;
    bool of_edge = false;  ///< the factor is the edge's (RelaxedRows::edge), or 1 where it has none
    std::optional<std::uint64_t> drop{};  ///< drop-path masks it, by the draw of that number
  };
  /// A node that is the sum of its terms; where no active one feeds it, zeros of this shape.
  struct Sum {
    int from = 0;
    std::int64_t channels = 0, stride = 1;
  };

  /// A node that is some channels of another.
  struct Slice {
    int of = 0;
    std::int64_t first = 0, channels = 0;
  };
  /// A node that at::channel_shuffle makes of the channels of two: one of `chosen`, then divisor - 1 of `passing`, ...
  struct Interleaved {
    int chosen = 0, passing = 0;
    std::int64_t divisor = 2;
  };
  /// What a node that is no input is made of.
  using Source = std::variant<Sum, Slice, Interleaved>;

  int inputs = 1;
  int nodes = 0;
  std::vector<Operation> operations;
  std::vector<Term> terms;
  std::vector<Source> sources;  ///< of each node
  std::vector<int> output;
  std::vector<at::Tensor> parameters;  ///< of the operations, in their order
};

/// The parameters of an operation: depthwise weight, those of the parts, of the norm; unit by unit.
std::vector<at::Tensor> parameters_of(const CellProgram::Operation& operation);

/// The program of a block that has operations to fuse; none for one that is as well off plainly.
std::optional<CellProgram> lower(const PlainBlock& block);

}  // namespace mixop
