#include "host/session/recorder.hpp"

namespace mixop {
namespace {

ResumePoint resume_point(const EpochLoop& loop) {
  const LoopPosition& here = loop.position();
  ResumePoint point{here.at.step, here.at.epoch, here.step_in_epoch == 0, {}};
  for (const auto& [name, values] : loop.record().metrics)
    if (!values.empty()) point.metrics[name] = values.back();
  return point;
}

}  // namespace

MetricsStream open_metrics(const RunSetup& setup, const EpochLoop& loop) {
  const RunRequest& request = setup.request();
  const std::string archive = request.out.filename().string();
  if (setup.resumed() != nullptr) return MetricsStream(request.metrics, archive, resume_point(loop));
  return MetricsStream(request.metrics, archive, request.start == Start::overwrite);
}

Recorder::Recorder(std::filesystem::path out, std::function<ArchiveBuilder()> archive,
                   std::function<std::int64_t()> replaced, MetricsStream metrics, const Task& task,
                   SessionObserver& observer)
    : out_(std::move(out)),
      archive_(std::move(archive)),
      replaced_(std::move(replaced)),
      metrics_(std::move(metrics)),
      task_(task),
      observer_(observer) {}

void Recorder::on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
                       const EpochSums& sums) {
  Metrics values = task_.means(sums, "train");
  observer_.on_step(at, step, steps, loss, values, task_);
  values["loss"] = loss;
  metrics_.step(at.step, at.epoch + 1, std::move(values));
}

void Recorder::on_epoch(const SearchPosition& at, const Metrics& metrics, const Genotype&) {
  observer_.on_epoch(at, metrics, task_);
  metrics_.epoch(at.step, at.epoch, metrics);
  const std::int64_t replaced = replaced_();
  if (replaced > 0 && replaced != told_)
    observer_.on_line("images that cannot be decoded, so that the next ones stand in their places: " +
                      std::to_string(replaced) + "; mixop data check names them");
  told_ = replaced;
}

void Recorder::checkpoint() {
  metrics_.sync();  // so that a run that goes on from this checkpoint finds all that was reported before it
  archive_().save(out_);
}

}  // namespace mixop
