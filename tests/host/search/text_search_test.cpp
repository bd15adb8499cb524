#include <ATen/ATen.h>

#include <cmath>

#include "host/archive/compare.hpp"
#include "host/search/run_archive.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/run_watcher.hpp"
#include "tests/support/small_text.hpp"

using namespace mixop;

namespace {

Config text_search(const std::string& strategy) {
  Config config = test::text_config(RunKind::search);
  config.space.nodes = 3;
  config.space.operations = {"none", "tanh", "relu", "identity"};
  config.search = {.epochs = 2, .batch = 20, .strategy = strategy};
  config.alphas.lr = 0.01;
  return config;
}

ComponentOptions options_of(const std::string& strategy) {
  ComponentOptions options = test::text_options();
  if (strategy == "second_order")
    options["second_order"] = {{"clip", "true"}, {"uncapped", "true"}, {"stale_tied", "true"}};
  return options;
}

RunEnd run_to(const std::string& strategy, const std::filesystem::path& out, std::int64_t stop_at = -1,
              bool resume = false) {
  Search search(text_search(strategy), test::plugins(), options_of(strategy), test::small_text());
  if (resume) restore(search, Archive::open(out));
  test::RunWatcher watcher(search, out, stop_at);
  return search.run(watcher, watcher.interrupt);
}

}  // namespace

TEST_CASE("a text search of either order goes on to the bits of one that never stopped", "[search][text][resume]") {
  const test::TemporaryFolder folder;
  for (const std::string strategy : {"first_order", "second_order"}) {
    REQUIRE(run_to(strategy, folder.path() / "whole.h5") == RunEnd::finished);
    const auto steps = Archive::open(folder.path() / "whole.h5").integer("/position", "step");
    for (const std::int64_t step : {std::int64_t{2}, steps / 2, steps - 1}) {
      INFO(strategy << ", interrupted after step " << step << " of " << steps);
      const auto file = folder.path() / "stopped.h5";
      REQUIRE(run_to(strategy, file, step) == RunEnd::interrupted);
      REQUIRE(run_to(strategy, file, -1, /*resume=*/true) == RunEnd::finished);
      CHECK(test::differences(folder.path() / "whole.h5", file) == std::vector<std::string>{});
      std::filesystem::remove(file);
    }
  }
}

TEST_CASE("a text search measures words and archives a recurrent genotype", "[search][text][archive]") {
  const test::TemporaryFolder folder;
  REQUIRE(run_to("first_order", folder.path() / "run.h5") == RunEnd::finished);
  const Archive archive = Archive::open(folder.path() / "run.h5");
  const auto losses = archive.values<double>("/metrics/valid_loss");
  const auto perplexities = archive.values<double>("/metrics/valid_perplexity");
  for (std::size_t i = 0; i < losses.size(); ++i) CHECK(perplexities[i] == Approx(std::exp(losses[i])));
  CHECK(archive.array("/alphas/alphas").shape == std::vector<std::uint64_t>{3, 6, 4});
  CHECK(archive.texts("/genotypes").back().find("\"recurrent\"") != std::string::npos);
}

TEST_CASE("an archive stopped in mid-epoch holds the hidden states of both streams", "[search][text][archive]") {
  const test::TemporaryFolder folder;
  REQUIRE(run_to("first_order", folder.path() / "run.h5", 2) == RunEnd::interrupted);
  const Archive archive = Archive::open(folder.path() / "run.h5");
  for (const char* stream : {"train", "valid"})
    CHECK(archive.array(std::string("/position/") + stream + "_state/0").shape == std::vector<std::uint64_t>{20, 8});
}
