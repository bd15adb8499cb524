#include "host/cli/watch.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "host/archive/file.hpp"
#include "host/cli/command_line.hpp"
#include "host/files/file_version.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_fields.hpp"
#include "host/search/swap.hpp"
#include "host/session/application.hpp"
#include "host/session/swap_journal.hpp"
#include "host/task/task.hpp"
#include "host/text/printable.hpp"
#include "host/train/network_check.hpp"

namespace mixop::cli {
namespace {

constexpr std::chrono::milliseconds kPause{500};

/// What was printed so far of a run, and what is new.
class Watched {
 public:
  void show(const Archive& archive) {
    const bool network = stored::is_of_kind(archive, network_kind);
    network ? check_network(archive) : check_run(archive);
    const Task& task = task_of(stored::archived_data(archive));
    const std::int64_t epochs = archive.integer("/position", "epoch");
    if (!network) changes_ = strategy_changes(archive);
    for (; epochs_ < epochs; ++epochs_) {
      show_changes(epochs_);
      std::cout << "epoch " << epochs_ + 1 << printable(task.epoch_text(metrics_of(archive, epochs_))) << std::endl;
    }
    show_changes(epochs);
  }

  /// Swaps that no checkpoint has yet.
  void show_swaps(const std::vector<StrategyChange>& swaps) {
    for (const StrategyChange& swap : swaps)
      if (changes_.empty() || swap.step > changes_.back().step) changes_.push_back(swap);
    show_changes(epochs_);
  }

 private:
  static Metrics metrics_of(const Archive& archive, std::int64_t epoch) {
    Metrics metrics;
    for (const std::string& name : archive.children("/metrics")) {
      if (name.rfind("step_", 0) == 0) continue;
      const std::vector<double> values = archive.values<double>(archive_path("/metrics", name));
      if (static_cast<std::size_t>(epoch) < values.size()) metrics[name] = values[static_cast<std::size_t>(epoch)];
    }
    return metrics;
  }

  /// Those up to an epoch.
  void show_changes(std::int64_t epoch) {
    for (; shown_ < changes_.size() && changes_[shown_].epoch <= epoch; ++shown_) {
      const StrategyChange& change = changes_[shown_];
      std::cout << "from step " << change.step << ": "
                << printable(shown_ == 0 ? change.strategy : difference(changes_[shown_ - 1], change)) << std::endl;
    }
  }

  std::int64_t epochs_ = 0;
  std::vector<StrategyChange> changes_;
  std::size_t shown_ = 0;
};

}  // namespace

void watch(const std::string& file) {
  Watched watched;
  std::optional<FileVersion> seen;
  for (;;) {
    const std::optional<long> writer = lock_holder(file);  // before the archive: what it wrote last is seen
    if (std::filesystem::exists(file)) {
      if (const FileVersion now = version_of(file); seen != now) {
        watched.show(Archive::open(file));
        seen = now;
      }
    } else if (!writer) {
      (void)Archive::open(file);  // which says that there is none
    }
    if (!writer) break;
    watched.show_swaps(journaled_swaps(file));
    require_output();
    std::this_thread::sleep_for(kPause);
  }
  say("no run writes " + file + " any more");
}

}  // namespace mixop::cli
