#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mixop {

/// What one run of a benchmark says of itself.
struct BenchAnswer {
  double median_s = 0;
  std::int64_t peak_rss_mb = 0;
};

/// The last line of `output`, as the yardsticks print it: a JSON object with `step_s.median` in seconds and
/// `peak_rss_mb`. `command` names it in errors (exit code 1).
BenchAnswer answer_in(const std::string& output, const std::string& command);

struct Comparison {
  BenchAnswer ours, against;  ///< medians over the rounds, highest memory
  double ratio() const { return against.median_s / ours.median_s; }
};

/// Runs both commands by turns, `rounds` times each, every one in a process of its own. `name` stands for `ours` in
/// errors; `against` goes through the shell. Throws `failed` where one does not end well or does not say what is
/// needed.
Comparison compare_by_turns(const std::vector<std::string>& ours, const std::string& name, const std::string& against,
                            std::int64_t rounds);

}  // namespace mixop
