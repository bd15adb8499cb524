#pragma once

#include <memory>
#include <string>

#include "host/metrics/append_file.hpp"
#include "host/metrics/sink.hpp"

namespace mixop {

/// Metrics as a file of JSON lines: first {"kind": "run", "archive": NAME}, then a line each of kind, step, epoch,
/// wall_time and the values by name.
class JsonLines final : public MetricsSink {
 public:
  /// Begins a file for the run of an archive's file name, in place of metrics that are there; with `resume` goes on
  /// with these. Throws usage where what is there is no file of metrics, or to resume not one of that archive's.
  JsonLines(std::filesystem::path path, const std::string& archive, bool resume);

  void write(const Measured& measured) override;
  void cut(std::int64_t step) override;
  void sync() override { file_->sync(); }
  std::int64_t last_epoch() const override { return last_epoch_; }

 private:
  void open(AppendFile file);

  std::filesystem::path path_;
  std::unique_ptr<AppendFile> file_;
  std::int64_t last_epoch_ = 0;
};

}  // namespace mixop
