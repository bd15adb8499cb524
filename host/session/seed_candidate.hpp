#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/task/task.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

/// A metric's values, one an epoch, by name.
using Curves = std::map<std::string, std::vector<double>>;

/// Those of an archive, without those of the test split, which selects nothing.
Curves curves_of(const std::filesystem::path& archive);

/// A search and the short training of what it found.
struct SeedCandidate {
  std::int64_t seed;
  std::filesystem::path search, train;  ///< archives
  Genotype genotype = {};
  Curves search_curves = {}, train_curves = {};  ///< without those of the test split
  std::string defect = {};                       ///< why there is no network to train

  /// A metric after the training's last epoch.
  double figure(const std::string& metric) const { return train_curves.at(metric).back(); }
};

/// The metric that selects among networks of a task: its first figure, of held-out records.
std::string selection_metric(const Task& task);

/// The best by that metric, of equal ones that of the smaller loss, then the first; null where no network could be built.
const SeedCandidate* best_of(const std::vector<SeedCandidate>& candidates, const Task& task);

/// Throws failed: of what was found no network can be built, the first for that reason.
[[noreturn]] void fail_without_network(const std::string& defect);

}  // namespace mixop
