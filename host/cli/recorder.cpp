#include "host/cli/recorder.hpp"

#include <unistd.h>

#include "host/cli/command_line.hpp"

namespace mixop::cli {

Recorder::Recorder(std::filesystem::path out, std::function<ArchiveBuilder()> archive,
                   std::function<std::int64_t()> replaced)
    : out_(std::move(out)),
      archive_(std::move(archive)),
      replaced_(std::move(replaced)),
      progress_(isatty(STDERR_FILENO) != 0) {}

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
