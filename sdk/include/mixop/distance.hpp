#pragma once

#include <set>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"

namespace mixop {

/// How much an operation counts in the distance of two architectures.
struct OperationWeight {
  std::string operation;
  double weight;
};

/// Those of the twelve operations of DARTOpti: the accuracies in percent that D-DARTS (Heuillet et al., arXiv
/// 2108.09306) measured for each.
const std::vector<OperationWeight>& dartopti_weights();
bool has_published_weight(const std::string& operation);
/// Those of the seven operations of D-DARTS alone.
const std::vector<OperationWeight>& ddarts_weights();
/// Weights of these operations: ddarts_weights(), or dartopti_weights() where one of the other five is among them;
/// behind them the operations that no paper has measured, at the mean of those weights.
std::vector<OperationWeight> weights_for(const std::set<std::string>& operations);

/// The distance of the cells that both genotypes have, of one name where both list kinds of cells, else in the order of
/// their lists: the larger of both directed
/// Hausdorff distances between their sets of edges. An edge is the set of its operations, the empty one where it has
/// none; two edges are as far apart as the weights of the operations that one of them alone has, in parts of the sum of
/// all weights. Throws a usage error where an operation has no weight.
std::vector<double> cell_distances(const Genotype& a, const Genotype& b, const std::vector<OperationWeight>& weights);

/// The architecture distance of D-DARTS: the mean of cell_distances().
double architecture_distance(const Genotype& a, const Genotype& b, const std::vector<OperationWeight>& weights);

}  // namespace mixop
