#pragma once

#include <filesystem>
#include <functional>

#include "host/archive/archive.hpp"
#include "host/metrics/stream.hpp"
#include "host/session/observer.hpp"
#include "host/session/run_setup.hpp"

namespace mixop {

/// The stream of a run's metrics, new or going on where the loop stands.
MetricsStream open_metrics(const RunSetup& setup, const EpochLoop& loop);

/// Writes the checkpoints and the metrics of a search or a training and reports to the observer how it goes on.
class Recorder : public RunObserver {
 public:
  /// `archive` builds the archive of the run as it stands; `replaced` counts as ImageSource::replaced does.
  Recorder(std::filesystem::path out, std::function<ArchiveBuilder()> archive, std::function<std::int64_t()> replaced,
           MetricsStream metrics, const Task& task, SessionObserver& observer);

  void on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
               const EpochSums& sums) override;
  void on_epoch(const SearchPosition& at, const Metrics& metrics, const Genotype&) override;
  void on_notice(const std::string& line) override { observer_.on_line(line); }
  void checkpoint() override;

 private:
  std::filesystem::path out_;
  std::function<ArchiveBuilder()> archive_;
  std::function<std::int64_t()> replaced_;
  MetricsStream metrics_;
  const Task& task_;
  SessionObserver& observer_;
  std::int64_t told_ = 0;
};

}  // namespace mixop
