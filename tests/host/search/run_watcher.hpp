#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/archive/compare.hpp"
#include "host/search/run_archive.hpp"

namespace mixop::test {

/// Interrupts a search after some steps, and keeps its archive at every checkpoint.
class RunWatcher final : public RunObserver {
 public:
  RunWatcher(Search& search, std::filesystem::path out, std::int64_t stop_at = -1)
      : search_(search), out_(std::move(out)), stop_at_(stop_at) {}
  void on_step(const SearchPosition& at, std::int64_t, std::int64_t, double, const EpochSums&) override {
    if (at.step == stop_at_) interrupt = 2;
    if (on_each_step) on_each_step();
  }
  void on_epoch(const SearchPosition&, const Metrics&, const Genotype&) override {}
  void checkpoint() override {
    archive_of(search_, {"", {}, to_json(search_.config())}, {"a command", "now", "cpu", "digest", {"plugins"}})
        .save(out_);
  }

  std::atomic<int> interrupt{0};
  std::function<void()> on_each_step;

 private:
  Search& search_;
  std::filesystem::path out_;
  std::int64_t stop_at_;
};

/// What differs outside /provenance.
inline std::vector<std::string> differences(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::vector<std::string> paths;
  for (const ArchiveDifference& difference : compare_archives(Archive::open(a), Archive::open(b)))
    if (difference.path.rfind("/provenance", 0) != 0) paths.push_back(difference.path);
  return paths;
}

}  // namespace mixop::test
