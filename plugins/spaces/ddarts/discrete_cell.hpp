#pragma once

#include <vector>

#include "mixop/supernet/cells.hpp"

namespace mixop::ddarts {

/// A cell of a listed genotype. Its nodes run in the order in which the list first names them, and its output is all of
/// them in that order. An operation whose source has not run by then is dropped: it keeps its parameters, as in the
/// published code, but never runs. Drop-path masks the sum of a node. State is named _ops.<node>.<source>.<number>...
class ListedCell final : public supernet::ImageCell {
 public:
  /// The genotype has been checked: every node has an operation that runs.
  ListedCell(const CellGenotype& genotype, const supernet::CellPlace& place, const OperatorCatalog& operators);
  at::Tensor forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor& weights, const Pass& pass,
                     std::uint64_t key) const override;
  void append_state(std::vector<StateEntry>& to, const std::string& prefix) const override;
  const NetworkPart& part() const override { return part_; }

 private:
  struct Step {
    int from;
    std::string name;  // of its state, in the cell
    bool runs;
    OperatorInstance operation;
  };
  struct Node {
    int index;
    std::vector<Step> steps;
  };

  supernet::Preprocess preprocess_;
  std::vector<Node> nodes_;
  NetworkPart part_;
};

/// A node of a cell as its list tells it.
struct ListedNode {
  struct Operation {
    std::string name;
    int from;
    bool runs;  ///< its source is an input of the cell or a node before this one
  };
  int index;
  std::vector<Operation> operations;  ///< those of one source together, sources in the order of their first mention
};

/// The nodes of a cell in the order in which they run.
std::vector<ListedNode> listed_nodes(const CellGenotype& cell);

}  // namespace mixop::ddarts
