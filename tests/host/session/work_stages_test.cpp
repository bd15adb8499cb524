#include "host/session/work_stages.hpp"

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("stages wait for those that they need, and share the jobs", "[session]") {
  const auto nothing = [] { return std::optional<StageCommand>(); };
  const std::vector<WorkStage> stages = {
      {"a", {}, nothing}, {"b", {}, nothing}, {"c", {"a", "b"}, nothing}, {"d", {"a"}, nothing}};
  const std::map<std::string, double> seconds = {{"a", 2}, {"b", 3}, {"c", 5}, {"d", 7}};
  CHECK(planned_seconds(stages, seconds, 1) == 17);
  CHECK(planned_seconds(stages, seconds, 2) == 9);  // d begins with the end of a, c with that of b
  CHECK(planned_seconds(stages, seconds, 3) == 9);
}
