#include "host/session/work_stages.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <list>
#include <set>
#include <thread>

#include "host/archive/file.hpp"
#include "host/process/running_child.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenLooks{20};
constexpr std::size_t kMostOfLine = 300;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// The name under which an output is written until it is whole.
fs::path unfinished(const fs::path& output) { return output.empty() ? "/dev/null" : output.string() + ".part"; }

struct RunningStage {
  RunningStage(const WorkStage& of, const StageCommand& command, const fs::path& log)
      : stage(of), output(command.output), log(log), child(full(command.arguments), {unfinished(output), log}) {}

  static std::vector<std::string> full(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), fs::read_symlink("/proc/self/exe").string());
    return arguments;
  }

  const WorkStage& stage;
  fs::path output, log;
  Clock::time_point begin = Clock::now();
  RunningChild child;
};

bool is_ready(const WorkStage& stage, const std::set<std::string>& done) {
  return std::all_of(stage.needs.begin(), stage.needs.end(),
                     [&](const std::string& name) { return done.count(name) != 0; });
}

ErrorCode code_of_exit(int code) {
  for (const ErrorCode known : {ErrorCode::usage, ErrorCode::bad_data, ErrorCode::plugin})
    if (static_cast<int>(known) == code) return known;
  return ErrorCode::failed;
}

std::string end_text(int code) {
  constexpr int behind = RunningChild::kBehindSignals;
  if (code == RunningChild::kNotStarted) return "could not be started: has this program been replaced meanwhile?";
  return code > behind ? "was ended by signal " + std::to_string(code - behind)
                       : "failed with exit code " + std::to_string(code);
}

/// ": " and the last error that a stage's log has; nothing where there is none.
std::string error_in(const fs::path& log) {
  const std::string mark = "error: ";
  std::ifstream file(log);
  std::string line, last;
  while (std::getline(file, line))
    if (const std::size_t at = line.find(mark); at != std::string::npos) last = line.substr(at + mark.size());
  return last.empty() ? "" : ": " + excerpt(last, kMostOfLine);
}

/// The stages that are under way, and those that are done.
class Runner {
 public:
  Runner(const std::vector<WorkStage>& stages, std::size_t jobs, const fs::path& folder,
         const StageObserver& on_end, SessionObserver& observer)
      : stages_(stages), jobs_(jobs), folder_(folder), on_end_(on_end), observer_(observer) {}

  bool run(const std::atomic<int>& interrupt) {
    try {
      while (interrupt.load() == 0 && failure_.empty()) {
        start_ready();
        if (running_.empty()) return true;
        look(/*wanted=*/true);
        std::this_thread::sleep_for(kBetweenLooks);
      }
    } catch (...) {  // of this program's own part in it
      end_all();
      throw;
    }
    end_all();
    if (!failure_.empty()) throw Error(code_, failure_);
    return false;
  }

 private:
  /// Has what is under way write its last checkpoint and end.
  void end_all() {
    for (const RunningStage& running : running_) running.child.signal(SIGTERM);
    while (!running_.empty()) {
      look(/*wanted=*/false);
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

  void start_ready() {
    for (bool more = true; more;) {
      more = false;
      for (const WorkStage& stage : stages_) {
        if (running_.size() == jobs_) return;
        if (begun_.count(stage.name) != 0 || !is_ready(stage, done_)) continue;
        begun_.insert(stage.name);
        more = true;
        const auto command = stage.command();
        const std::string what =
            "stage " + std::to_string(begun_.size()) + " of " + std::to_string(stages_.size()) + ", " + stage.name;
        if (!command) {
          done_.insert(stage.name);
          continue;
        }
        const fs::path log = jobs_ > 1 ? folder_ / (stage.name + ".log") : fs::path();
        observer_.on_line(what + (log.empty() ? "" : ": begun, see " + log.string()));
        running_.emplace_back(stage, *command, log);
      }
    }
  }

  /// Takes in what has ended; `wanted`: it was not told to end.
  void look(bool wanted) {
    for (auto running = running_.begin(); running != running_.end();) {
      const std::optional<int> end = running->child.ended();
      if (!end) {
        ++running;
        continue;
      }
      const auto ended = running++;
      std::list<RunningStage> taken;
      taken.splice(taken.begin(), running_, ended);
      take(taken.front(), *end, wanted);
    }
  }

  void take(const RunningStage& running, int end, bool wanted) {
    const double seconds = seconds_since(running.begin);
    if (end == 0 && !running.output.empty()) keep(running.output);
    on_end_(running.stage, seconds, end == 0);
    if (end == 0) {
      done_.insert(running.stage.name);
      if (jobs_ > 1) observer_.on_line(running.stage.name + ": done in " + fixed_text(seconds, 1) + " s");
    } else if (wanted) {
      code_ = code_of_exit(end);
      failure_ = "the stage " + running.stage.name + " " + end_text(end) +
                 (running.log.empty() ? "" : error_in(running.log) + "; all its messages are in " + running.log.string()) +
                 "; once the reason is gone the same command goes on";
    }
  }

  /// Gives a whole output its name, once it is on the disk.
  static void keep(const fs::path& output) {
    const std::vector<std::byte> content = read_file(unfinished(output));
    replace_file(output, content);
    fs::remove(unfinished(output));
  }

  const std::vector<WorkStage>& stages_;
  std::size_t jobs_;
  const fs::path& folder_;
  const StageObserver& on_end_;
  SessionObserver& observer_;
  std::list<RunningStage> running_;
  std::set<std::string> begun_, done_;
  std::string failure_;
  ErrorCode code_ = ErrorCode::failed;
};

}  // namespace

double planned_seconds(const std::vector<WorkStage>& stages, const std::map<std::string, double>& seconds, std::size_t jobs) {
  std::multimap<double, std::string> running;  // by their ends
  std::set<std::string> begun, done;
  double now = 0;
  for (;;) {
    for (const WorkStage& stage : stages) {
      if (running.size() == jobs || !is_ready(stage, done) || !begun.insert(stage.name).second) continue;
      running.emplace(now + seconds.at(stage.name), stage.name);
    }
    if (running.empty()) return now;
    now = running.begin()->first;
    done.insert(running.begin()->second);
    running.erase(running.begin());
  }
}

bool run_stages(const std::vector<WorkStage>& stages, std::size_t jobs, const fs::path& folder,
                const StageObserver& on_end, SessionObserver& observer,
                const std::atomic<int>& interrupt) {
  return Runner(stages, jobs, folder, on_end, observer).run(interrupt);
}

}  // namespace mixop
