#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "host/task/task.hpp"

namespace mixop::cli {

/// Reports on stderr how a search or a training goes on: a bar that is redrawn on a terminal, plain lines otherwise (the
/// first step, then one every ten seconds, and one an epoch).
class Progress {
 public:
  explicit Progress(bool terminal);
  /// `means` are those of the epoch's steps so far.
  void step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss, const Metrics& means,
            const Task& task);
  void epoch(const SearchPosition& at, const Metrics& metrics, const Task& task);
  /// So that another line can follow what is redrawn.
  void end_line();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& line);

  bool terminal_;
  bool open_line_ = false;
  Clock::time_point start_, last_shown_;
  std::int64_t steps_seen_ = 0;
};

/// How much is done as "[####----]".
std::string progress_bar(std::int64_t done, std::int64_t all);

/// Seconds as "1:02:03" or "02:03".
std::string clock_text(double seconds);

}  // namespace mixop::cli
