#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/metrics/sink.hpp"

namespace mixop {

/// Where a run's metrics go beside its archive, and how often.
struct StreamOptions {
  std::optional<std::filesystem::path> lines;        ///< a file of JSON lines
  std::optional<std::filesystem::path> tensorboard;  ///< a folder of event files
  std::int64_t every = 1;                            ///< steps from one to the next; every epoch is reported
};

/// Where a resumed run stands.
struct ResumePoint {
  std::int64_t step = 0, epoch = 0;  ///< steps and epochs that are over
  bool between_epochs = false;
  std::map<std::string, double> metrics;  ///< of the last epoch
};

/// Reports a run's metrics live to all the places that its options name; none is a place too.
class MetricsStream {
 public:
  /// A new run. Throws usage where there are metrics already, unless `overwrite`.
  MetricsStream(const StreamOptions& options, const std::string& archive, bool overwrite);
  /// A run that goes on: what was reported of later steps is removed, and the last epoch is reported if it was not.
  MetricsStream(const StreamOptions& options, const std::string& archive, const ResumePoint& at);

  /// Called where `step` is a multiple of options.every. A step that is not later than the last one takes the run back:
  /// what was reported from it on is removed.
  void step(std::int64_t step, std::int64_t epoch, std::map<std::string, double> values);
  void epoch(std::int64_t step, std::int64_t epoch, std::map<std::string, double> values);
  /// Returns when all of it is on disk.
  void sync();

 private:
  std::vector<std::unique_ptr<MetricsSink>> sinks_;
  std::int64_t every_, last_step_ = 0;
};

}  // namespace mixop
