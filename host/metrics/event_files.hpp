#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "host/metrics/append_file.hpp"
#include "host/metrics/sink.hpp"

namespace mixop {

/// Metrics as TensorBoard's event files in a folder, one file a start of the run: scalars step/NAME and epoch/NAME.
class EventFiles final : public MetricsSink {
 public:
  /// Removes this program's event files that are there, unless it resumes; then cut() must follow.
  EventFiles(std::filesystem::path folder, bool resume);

  void write(const Measured& measured) override;
  /// Begins a new file, at which readers that have seen later events forget them.
  void cut(std::int64_t step) override;
  void sync() override { file_->sync(); }
  std::int64_t last_epoch() const override { return last_epoch_; }

 private:
  void begin_file();

  std::filesystem::path folder_;
  std::unique_ptr<AppendFile> file_;
  std::int64_t last_epoch_ = 0;
};

/// The event files of this program in a folder, in the order in which they were begun; a folder that is not there has
/// none.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);

}  // namespace mixop
