#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/session/application.hpp"

namespace mixop {

/// The weights of one set of alphas after every epoch, in the shape of the archive's alphas, row-major.
struct EdgeWeights {
  std::string name;
  std::vector<float> rest;      ///< without draws, as derivation reads them
  std::vector<float> training;  ///< the mean of kDraws draws; empty where the relaxations of the search draw none
};

/// How many draws a mean is taken over.
inline constexpr int kDraws = 64;

/// The weights that the relaxation in force made of the alphas of each row of a checked search's archive, with the
/// options and at the epoch that it had then, in the order of the archive's sets. Of training without what a schedule
/// adds to the weights. Throws where a plugin that the search used is not loaded.
std::vector<EdgeWeights> edge_weights(const Archive& archive, const Application& application);

}  // namespace mixop
