#pragma once

#include <string>
#include <vector>

#include "mixop/genotype.hpp"

namespace mixop {

struct DrawOptions {
  std::string title;
  /// Edge weight of every gene, cell by cell; where given, it sets the line's width and stands beside the operation.
  std::vector<std::vector<double>> strengths;
};

/// All cells of a genotype as one Graphviz graph: inputs left, output right, operations on the edges.
std::string to_dot(const Genotype& genotype, const DrawOptions& options = {});

}  // namespace mixop
