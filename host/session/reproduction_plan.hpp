#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/session/experiment.hpp"

namespace mixop {

/// Where a genotype comes from.
struct GenotypeOrigin {
  std::int64_t seed = 0;
  std::string name;            ///< of its stage: "search-0"
  std::filesystem::path file;  ///< archive of a search, or JSON of a sample

  /// Of the stage that trains it for a short while: "select-0".
  std::string selection() const { return "select-" + std::to_string(seed); }
};

/// A training, and the evaluation behind it.
struct TrainedNetwork {
  std::string name;                   ///< of its stage: "train-0"
  std::optional<std::size_t> origin;  ///< whose genotype it trains; none: the winner's, or the published one
  std::int64_t seed = 0;

  std::string evaluation() const { return "evaluate-" + name; }
};

/// The runs of an experiment, and where what they write lies.
class ReproductionPlan {
 public:
  ReproductionPlan(const Experiment& experiment, std::filesystem::path out);

  const std::filesystem::path& out() const { return out_; }
  const std::vector<GenotypeOrigin>& origins() const { return origins_; }
  const std::vector<TrainedNetwork>& trained() const { return trained_; }
  std::filesystem::path archive(const std::string& stage) const { return out_ / (stage + ".h5"); }
  std::filesystem::path scores(const std::string& stage) const { return out_ / (stage + ".json"); }
  std::filesystem::path report() const { return out_ / "report.html"; }
  /// Whether a training's scores are there, whole, and of its archive as it is.
  bool has_scores(const TrainedNetwork& trained) const;
  /// Archives of searches and trainings that are there, and the names of all files that stages write.
  std::vector<std::filesystem::path> archives() const;
  std::vector<std::string> files() const;

 private:
  std::filesystem::path out_;
  bool searched_, selected_;
  std::vector<GenotypeOrigin> origins_;
  std::vector<TrainedNetwork> trained_;
};

}  // namespace mixop
