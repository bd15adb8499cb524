#include "host/bench/against.hpp"

#include <algorithm>
#include <chrono>

#include "host/bench/steps.hpp"
#include "host/json/json.hpp"
#include "host/process/child_process.hpp"
#include "host/text/printable.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::chrono::hours kLongest{24};
constexpr double kMostSeconds = 1e6, kMostMiB = 1e9;

bool is_within(const JsonValue* value, double most) {
  return value != nullptr && value->is_number() && value->number > 0 && value->number <= most;
}

std::string last_line(const std::string& output) {
  const std::size_t end = output.find_last_not_of("\r\n ");
  if (end == std::string::npos) return "";
  const std::size_t start = output.find_last_of('\n', end);
  return output.substr(start == std::string::npos ? 0 : start + 1,
                       end - (start == std::string::npos ? 0 : start + 1) + 1);
}

BenchAnswer run(const std::vector<std::string>& command, const std::string& name) {
  const ChildResult result = run_child(command, kLongest);
  if (result.end != ChildResult::End::exited || result.code != 0)
    throw Error(ErrorCode::failed,
                "bench: '" + name + "' " +
                    (result.end == ChildResult::End::exited ? "ended with exit code " + std::to_string(result.code)
                                                            : "was killed by signal " + std::to_string(result.code)) +
                    "; its messages are above");
  return answer_in(result.output, name);
}

BenchAnswer summary_of(const std::vector<BenchAnswer>& rounds) {
  std::vector<double> medians;
  BenchAnswer summary;
  for (const BenchAnswer& round : rounds) {
    medians.push_back(round.median_s);
    summary.peak_rss_mb = std::max(summary.peak_rss_mb, round.peak_rss_mb);
  }
  summary.median_s = median(medians);
  return summary;
}

}  // namespace

BenchAnswer answer_in(const std::string& output, const std::string& command) {
  const std::string line = last_line(output);
  const auto refuse = [&](const std::string& problem) -> Error {
    return Error(ErrorCode::failed, "bench: expected '" + printable(command) +
                                        "' to end with a line of JSON that has step_s.median (seconds, above 0, at "
                                        "most 1e6) and peak_rss_mb (MiB, from 1 to 1e9), " +
                                        problem);
  };
  JsonValue json;
  try {
    json = parse_json(line, command, ErrorCode::failed);
  } catch (const Error&) {
    throw refuse("found '" + excerpt(line, 200) + "'");
  }
  const JsonValue* const times = json.find("step_s");
  const JsonValue* const seconds = times == nullptr ? nullptr : times->find("median");
  const JsonValue* const memory = json.find("peak_rss_mb");
  if (!is_within(seconds, kMostSeconds)) throw refuse("found no such median");
  if (!is_within(memory, kMostMiB) || memory->number < 1) throw refuse("found no such peak_rss_mb");
  return {seconds->number, static_cast<std::int64_t>(memory->number)};
}

Comparison compare_by_turns(const std::vector<std::string>& ours, const std::string& name, const std::string& against,
                            std::int64_t rounds) {
  std::vector<BenchAnswer> own, others;
  for (std::int64_t round = 0; round < rounds; ++round) {
    own.push_back(run(ours, name));
    others.push_back(run({"/bin/sh", "-c", against}, against));
  }
  return {summary_of(own), summary_of(others)};
}

}  // namespace mixop
