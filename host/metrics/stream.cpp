#include "host/metrics/stream.hpp"

#include <chrono>
#include <utility>

#include "host/metrics/event_files.hpp"
#include "host/metrics/json_lines.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

void refuse_existing(const std::filesystem::path& path, const char* option) {
  throw Error(ErrorCode::usage, path.string() +
                                    ": metrics of a run are there already; replace them by --overwrite, go " +
                                    "on with the run by --resume, or name another place by " + option);
}

Measured measured_now(Measured::Kind kind, std::int64_t step, std::int64_t epoch,
                      std::map<std::string, double> values) {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {kind, step, epoch, std::chrono::duration<double>(since_1970).count(), std::move(values)};
}

}  // namespace

MetricsStream::MetricsStream(const StreamOptions& options, const std::string& archive, bool overwrite)
    : every_(options.every) {
  if (!overwrite && options.lines && std::filesystem::exists(*options.lines))
    refuse_existing(*options.lines, "--metrics=FILE");
  if (!overwrite && options.tensorboard && !event_files(*options.tensorboard).empty())
    refuse_existing(*options.tensorboard, "--tensorboard=DIR");
  if (options.lines) sinks_.push_back(std::make_unique<JsonLines>(*options.lines, archive, false));
  if (options.tensorboard) sinks_.push_back(std::make_unique<EventFiles>(*options.tensorboard, false));
}

MetricsStream::MetricsStream(const StreamOptions& options, const std::string& archive, const ResumePoint& at)
    : every_(options.every), last_step_(at.step) {
  if (options.lines) sinks_.push_back(std::make_unique<JsonLines>(*options.lines, archive, true));
  if (options.tensorboard) sinks_.push_back(std::make_unique<EventFiles>(*options.tensorboard, true));
  // An epoch is reported after its checkpoint, so a run may have ended between the two.
  for (const auto& sink : sinks_) {
    sink->cut(at.step);
    if (at.between_epochs && at.epoch > 0 && sink->last_epoch() < at.epoch)
      sink->write(measured_now(Measured::Kind::epoch, at.step, at.epoch, at.metrics));
  }
}

void MetricsStream::step(std::int64_t step, std::int64_t epoch, std::map<std::string, double> values) {
  if (step <= last_step_)
    for (const auto& sink : sinks_) sink->cut(step - 1);
  last_step_ = step;
  if (step % every_ != 0) return;
  const Measured measured = measured_now(Measured::Kind::step, step, epoch, std::move(values));
  for (const auto& sink : sinks_) sink->write(measured);
}

void MetricsStream::epoch(std::int64_t step, std::int64_t epoch, std::map<std::string, double> values) {
  const Measured measured = measured_now(Measured::Kind::epoch, step, epoch, std::move(values));
  for (const auto& sink : sinks_) sink->write(measured);
}

void MetricsStream::sync() {
  for (const auto& sink : sinks_) sink->sync();
}

}  // namespace mixop
