#include "host/bench/against.hpp"

#include <sys/resource.h>

#include "host/bench/steps.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Catch::Contains;

const std::string kLine = R"({"step_s": {"median": 0.5, "min": 0.4}, "peak_rss_mb": 120, "task": "cnn"})";

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }
std::string printing(const std::string& seconds, const std::string& memory) {
  return std::string("echo '{\"step_s\": {\"median\": ")
      .append(seconds)
      .append("}, \"peak_rss_mb\": ")
      .append(memory)
      .append("}'");
}

TEST_CASE("the last line of a benchmark's output is its result", "[bench]") {
  const BenchAnswer answer = answer_in("warming up\n" + kLine + "\n\n", "yardstick");
  CHECK(answer.median_s == 0.5);
  CHECK(answer.peak_rss_mb == 120);
  CHECK(answer_in(kLine, "yardstick").median_s == 0.5);
}

TEST_CASE("an output that is no result is reported with the command and what was found", "[bench][misuse]") {
  CHECK_THROWS_WITH(answer_in("", "yardstick"),
                    Contains("expected 'yardstick' to end with a line of JSON") && Contains("found ''"));
  CHECK_THROWS_WITH(answer_in("Killed\n", "y"), Contains("found 'Killed'"));
  CHECK_THROWS_WITH(answer_in("{\"peak_rss_mb\": 1}", "y"), Contains("found no such median"));
  CHECK_THROWS_WITH(answer_in("{\"step_s\": {\"median\": 0}, \"peak_rss_mb\": 1}", "y"),
                    Contains("found no such median"));
  CHECK_THROWS_WITH(answer_in("{\"step_s\": {\"median\": 1}}", "y"), Contains("found no such peak_rss_mb"));
  for (const char* memory : {"0", "-5", "0.5", "1e300", "\"9\""})
    CHECK_THROWS_WITH(answer_in(std::string("{\"step_s\": {\"median\": 1}, \"peak_rss_mb\": ") + memory + "}", "y"),
                      Contains("found no such peak_rss_mb"));
  CHECK_THROWS_WITH(answer_in("{\"step_s\": {\"median\": 1e300}, \"peak_rss_mb\": 1}", "y"),
                    Contains("found no such median"));
}

TEST_CASE("both programs run by turns, and the ratio is theirs over ours", "[bench]") {
  const Comparison comparison = compare_by_turns(shell(printing("0.5", "100")), "ours", printing("2.0", "400"), 2);
  CHECK(comparison.ours.median_s == 0.5);
  CHECK(comparison.against.median_s == 2.0);
  CHECK(comparison.ratio() == 4.0);
  CHECK(comparison.ours.peak_rss_mb == 100);
  CHECK(comparison.against.peak_rss_mb == 400);
}

TEST_CASE("a program that fails ends the comparison with its exit code or signal", "[bench][misuse]") {
  CHECK_THROWS_WITH(compare_by_turns(shell(printing("1", "1")), "ours", "exit 3", 1),
                    "bench: 'exit 3' ended with exit code 3; its messages are above");
  CHECK_THROWS_WITH(compare_by_turns(shell(printing("1", "1")), "ours", "kill -9 $$", 1),
                    "bench: 'kill -9 $$' was killed by signal 9; its messages are above");
  CHECK_THROWS_WITH(compare_by_turns(shell("exit 2"), "mixop bench cnn", "true", 1),
                    "bench: 'mixop bench cnn' ended with exit code 2; its messages are above");
}

TEST_CASE("the median is the middle, or the mean of both in the middle", "[bench]") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  CHECK(median({7}) == 7);
}

}  // namespace
