#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/session/observer.hpp"

namespace mixop {

/// What a stage runs: this program with these arguments, and the file that gets its standard output; without one it is
/// not kept.
struct StageCommand {
  std::vector<std::string> arguments;
  std::filesystem::path output = {};
};

/// A part of a long work: a command of this program which goes on with what it left when it was interrupted or killed.
struct WorkStage {
  std::string name;                ///< "search-0"
  std::vector<std::string> needs;  ///< stages that come before it
  /// Asked for once those are done; nothing where there is nothing (left) to do.
  std::function<std::optional<StageCommand>()> command;
};

/// Called with the seconds that a stage took, and whether it is done.
using StageObserver = std::function<void(const WorkStage&, double seconds, bool done)>;

/// Runs stages in processes of their own, up to `jobs` at once, each when those that it needs are done. One at a time they
/// write to this program's standard error; several at once each to FOLDER/NAME.log. `on_end` is called after every stage
/// that ran, also where it did not end well.
///
/// False where `interrupt` was set: the stages under way were interrupted and have ended. Throws where one fails, by the
/// code of its exit, once the others were interrupted and have ended.
bool run_stages(const std::vector<WorkStage>& stages, std::size_t jobs, const std::filesystem::path& folder,
                const StageObserver& on_end, SessionObserver& observer,
                const std::atomic<int>& interrupt);

/// How long that takes where each stage takes so long, by name, whatever runs beside it.
double planned_seconds(const std::vector<WorkStage>& stages, const std::map<std::string, double>& seconds, std::size_t jobs);

}  // namespace mixop
