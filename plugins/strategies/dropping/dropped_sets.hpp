#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "mixop/strategy.hpp"

namespace mixop::strategies {

/// What is dropped of the sets of a search: booleans of a set's shape. A set of shared alphas is one cell, one with rows
/// for cells is as many.
class DroppedSets {
 public:
  /// One edge of one cell.
  struct Edge {
    std::size_t set = 0;
    std::int64_t cell = 0;
    std::int64_t edge = 0;
  };

  DroppedSets() = default;
  explicit DroppedSets(const std::vector<SearchedSet>& sets);

  const std::vector<AlphaSet>& sets() const { return sets_; }
  std::int64_t cells(std::size_t set) const { return masks_[set].size(0); }
  /// The operations of an edge that are left, by their places, ascending.
  std::vector<std::int64_t> left(const Edge& of) const;
  std::int64_t count_left() const;
  void drop(const Edge& of, std::int64_t operation);
  void drop_edge(const Edge& of);

  /// As EpochPlan has it: empty where nothing is dropped.
  std::vector<at::Tensor> tensors() const;
  /// The row of a set's tensor that an edge has: [operations].
  static at::Tensor row(const at::Tensor& of_set, const Edge& edge);

  NamedTensors save() const;
  /// Throws bad_data, naming `part`, where the state is of other sets.
  void load(const NamedTensors& state, const std::string& part);

 private:
  std::vector<AlphaSet> sets_;
  std::vector<at::Tensor> masks_;  // bool, each [cells, edges, operations]
};

}  // namespace mixop::strategies
