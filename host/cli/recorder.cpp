#include "host/cli/recorder.hpp"

#include <unistd.h>

#include "host/cli/command_line.hpp"

namespace mixop::cli {

Recorder::Recorder(std::filesystem::path out, std::function<ArchiveBuilder()> archive,
                   std::function<std::int64_t()> replaced, MetricsStream metrics)
    : out_(std::move(out)),
      archive_(std::move(archive)),
      replaced_(std::move(replaced)),
      metrics_(std::move(metrics)),
      progress_(isatty(STDERR_FILENO) != 0) {}

void Recorder::on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
                       const EpochSums& sums) {
  progress_.step(at, step, steps, loss, sums);
  Metrics values = sums.means("train");
  values["loss"] = loss;
  metrics_.step(at.step, at.epoch + 1, std::move(values));
}

void Recorder::on_epoch(const SearchPosition& at, const Metrics& metrics, const Genotype&) {
  progress_.epoch(at, metrics);
  metrics_.epoch(at.step, at.epoch, metrics);
  say_replaced();
}

void Recorder::checkpoint() {
  metrics_.sync();  // so that a run that goes on from this checkpoint finds all that was told before it
  archive_().save(out_);
}

void Recorder::on_notice(const std::string& line) {
  progress_.end_line();
  say(line);
}

void Recorder::say_replaced() {
  const std::int64_t replaced = replaced_();
  if (replaced != told_) cli::say_replaced(replaced);
  told_ = replaced;
}

void say_replaced(std::int64_t replaced) {
  if (replaced > 0)
    say("images that cannot be decoded, so that the next ones stand in their places: " + std::to_string(replaced) +
        "; mixop data check names them");
}

void say_end(RunKind kind, RunEnd end, const std::filesystem::path& out) {
  const std::string command = run_kind_name(kind);
  say((end == RunEnd::interrupted ? "interrupted; go on with: mixop " + command + " --resume --out " : "archive: ") +
      out.string());
}

}  // namespace mixop::cli
