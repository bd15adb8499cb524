#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;

std::int64_t divisor(const std::string& part, const std::map<std::string, std::string>& options = {}) {
  return make_part<EdgeRule>(test::plugins(), part, {{part, options}})->rule().channel_divisor;
}

Config partial(std::int64_t channels) {
  Config config = test::small_config(2);
  config.space.channels = channels;
  config.strategy["edge_rule"] = "partial_channels";
  return config;
}

TEST_CASE("a divisor below 1 is refused", "[strategy][misuse]") {
  for (const char* bad : {"0", "-4"})
    CHECK_THROWS_WITH(divisor("partial_channels", {{"divisor", bad}}),
                      Catch::Contains("partial_channels.divisor: expected a number from 1 on, found " +
                                      std::string(bad)));
}

TEST_CASE("channels that the divisor does not divide are refused before the first step", "[strategy][misuse]") {
  CHECK_THROWS_WITH(Search(partial(2), test::plugins(), {}, test::tiny_data()),
                    Catch::Contains("strategy.edge_rule: expected channels that 4 divides, as many out as in, found 2"));
}

TEST_CASE("no edge rule leaves all channels, partial channels a fourth or what is asked for", "[strategy]") {
  CHECK(divisor("none") == 1);
  CHECK(divisor("partial_channels") == 4);
  CHECK(divisor("partial_channels", {{"divisor", "2"}}) == 2);
}

TEST_CASE("a search of partial channels has smaller operations and resumes to the same bits", "[strategy][resume]") {
  const test::TemporaryFolder folder;
  REQUIRE(test::run_to(partial(8), folder.path() / "whole.h5") == RunEnd::finished);
  REQUIRE(test::run_to(partial(8), folder.path() / "stopped.h5", 5) == RunEnd::interrupted);
  REQUIRE(test::run_to(partial(8), folder.path() / "stopped.h5", -1, /*resume=*/true) == RunEnd::finished);
  CHECK(test::differences(folder.path() / "whole.h5", folder.path() / "stopped.h5").empty());
  const Archive archive = Archive::open(folder.path() / "whole.h5");
  CHECK(archive.array("/weights/cells.0._ops.0._ops.4.op.1.weight").shape == std::vector<std::uint64_t>{2, 1, 3, 3});
}

}  // namespace
