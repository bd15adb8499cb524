#pragma once

#include <filesystem>
#include <functional>

#include "host/archive/archive.hpp"
#include "host/cli/progress.hpp"
#include "host/config/schema.hpp"
#include "host/metrics/stream.hpp"

namespace mixop::cli {

/// Writes the checkpoints and the metrics of a search or a training and tells the terminal how it goes on.
class Recorder final : public RunObserver {
 public:
  /// `archive` builds the archive of the run as it stands; `replaced` counts as ImageSource::replaced does.
  Recorder(std::filesystem::path out, std::function<ArchiveBuilder()> archive, std::function<std::int64_t()> replaced,
           MetricsStream metrics);

  void on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
               const EpochSums& sums) override;
  void on_epoch(const SearchPosition& at, const Metrics& metrics, const Genotype&) override;
  void on_notice(const std::string& line) override;
  void checkpoint() override;

 private:
  void say_replaced();

  std::filesystem::path out_;
  std::function<ArchiveBuilder()> archive_;
  std::function<std::int64_t()> replaced_;
  MetricsStream metrics_;
  std::int64_t told_ = 0;
  Progress progress_;
};

/// Says on stderr how many images others stand for; nothing where there are none.
void say_replaced(std::int64_t replaced);

/// Says how a run ended: where its archive is, or how it goes on.
void say_end(RunKind kind, RunEnd end, const std::filesystem::path& out);

}  // namespace mixop::cli
