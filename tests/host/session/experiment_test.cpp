#include "host/session/experiment.hpp"

#include <fstream>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;

namespace {

const char* const kWhole = R"({
  "summary": "An example.", "source": "Nobody", "protocol": "As it is.",
  "stages": {
    "search": {"preset": "p", "set": ["a=1"], "seeds": [0, 1, 2, 3]},
    "train": {"preset": "t", "seeds": [5]}
  },
  "smoke": {"all": ["b=2"], "search": {"set": ["a=3"], "seeds": [7]}},
  "paper": [{"what": "test top-1 error", "value": 2.5, "deviation": 0.1, "unit": "%", "where": "table 9"}]
})";

Experiment read(const std::string& text, Scale scale) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "example.json") << text;
  return read_experiment("example", scale, {folder.path()});
}

std::string with(std::string text, const std::string& old, const std::string& replacement) {
  return text.replace(text.find(old), old.size(), replacement);
}

}  // namespace

TEST_CASE("an experiment at the paper's scale is the protocol itself", "[session]") {
  const Experiment experiment = read(kWhole, Scale::paper);
  CHECK(experiment.search->sets == std::vector<std::string>{"a=1"});
  CHECK(experiment.search->seeds == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(experiment.scaled.empty());
  CHECK_FALSE(experiment.select);
  REQUIRE(experiment.paper.size() == 1);
  CHECK(experiment.paper[0].deviation == 0.1);
}

TEST_CASE("a scale's keys stand behind the protocol's, and are said", "[session]") {
  const Experiment experiment = read(kWhole, Scale::smoke);
  CHECK(experiment.search->sets == std::vector<std::string>{"a=1", "b=2", "a=3"});
  CHECK(experiment.search->seeds == std::vector<std::int64_t>{7});
  CHECK(experiment.train.sets == std::vector<std::string>{"b=2"});
  CHECK(experiment.scaled == std::vector<std::string>{"every stage: b=2", "search: a=3, 1 instead of 4 runs"});
}

TEST_CASE("defects of an experiment name the place", "[session]") {
  const std::string whole = kWhole;
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"\"source\"", "\"sorce\"", "2:29: unknown key 'sorce'; did you mean 'source'? (known: summary, source"},
      {"\"preset\": \"t\", ", "", "5:14: lacks preset"},
      {"[5]", "[5, 5]", "seeds: expected each once, found 5 twice"},
      {"[5]", "[]", "seeds: expected a list that is not empty"},
      {"\"a=1\"", "1", "set: expected text, found 1"},
      {"\"protocol\": \"As it is.\"", "\"protocol\": \"p\", \"genotype\": \"g\"", "and one of \"search\", \"sample\""},
      {"\"all\": [\"b=2\"]", "\"select\": {}", "select: the experiment has no such stage"},
      {"\"value\": 2.5, ", "", "8:13: lacks value"}};
  for (const auto& [old, replacement, message] : cases)
    CHECK_THROWS_WITH(read(with(whole, old, replacement), Scale::smoke), Catch::Matchers::Contains(message));
  CHECK_THROWS_WITH(read(whole, Scale::brief), Catch::Matchers::Contains("lacks short"));
  CHECK_THROWS_WITH(scale_of("shrt"), Catch::Matchers::Contains("did you mean 'short'"));
}
