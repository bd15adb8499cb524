#pragma once

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::ddarts {

/// The rules by which D-DARTS (section 3.5) reads discrete cells out of edge weights. None keeps `none` or an operation
/// that is not above the threshold; a node may end without input. Ties go to the earlier edge and operation.
class ThresholdDeriver : public Deriver {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "threshold", "0.85", "Only operations of a larger edge weight are kept; from 0 to 1."),
  };
  Genotype derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const override;

 protected:
  /// One candidate of an edge.
  struct Choice {
    std::size_t operation;
    float strength;
  };
  /// An edge with its candidates but `none`, in their order.
  struct Edge {
    int from;
    std::vector<Choice> choices;
  };
  ThresholdDeriver(const Options& options, const char* name);
  bool passes(const Choice& choice) const { return choice.strength > threshold_; }
  /// What is kept of a node's edges, in the published order: the edge's place and the operation.
  virtual std::vector<std::pair<std::size_t, std::size_t>> kept(const std::vector<Edge>& edges) const = 0;

 private:
  float threshold_;
};

/// Of every edge the two best operations, the weaker one first.
class ThresholdEdge final : public ThresholdDeriver {
 public:
  explicit ThresholdEdge(const Options& options) : ThresholdDeriver(options, "threshold_edge") {}

 private:
  std::vector<std::pair<std::size_t, std::size_t>> kept(const std::vector<Edge>& edges) const override;
};

/// Of every node the two edges with the best best operations, the stronger one first, and of each that operation.
class ThresholdSparse final : public ThresholdDeriver {
 public:
  explicit ThresholdSparse(const Options& options) : ThresholdDeriver(options, "threshold_sparse") {}

 private:
  std::vector<std::pair<std::size_t, std::size_t>> kept(const std::vector<Edge>& edges) const override;
};

/// All operations.
class ThresholdComplete final : public ThresholdDeriver {
 public:
  explicit ThresholdComplete(const Options& options) : ThresholdDeriver(options, "threshold_complete") {}

 private:
  std::vector<std::pair<std::size_t, std::size_t>> kept(const std::vector<Edge>& edges) const override;
};

}  // namespace mixop::ddarts
