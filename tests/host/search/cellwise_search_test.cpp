#include <ATen/ATen.h>

#include <cmath>

#include "host/search/archived_run.hpp"
#include "host/search/stored_tensor.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/altered_run.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

// Searches with alphas for every cell: D-DARTS, and DARTOpti from a small baseline.

namespace {

using namespace mixop;
using test::differences;
using test::run_to;

constexpr const char* kBaseline =
    R"({"genes": [[["simple_conv_3x3", 2, 0], ["skip_connect", 3, 2]]], "concat": [2, 3], "reductions": [1], "seq": [0, 0]})";

Config cellwise_config(std::int64_t epochs) {
  Config config = test::small_config(epochs);
  config.space.name = "ddarts";
  config.space.operations = {"max_pool_3x3", "skip_connect", "sep_conv_3x3"};
  config.space.alpha_init = 0;
  config.search.strategy = "ddarts";
  config.strategy["stopper"] = "distance";
  config.alphas.lr = 0.5;
  return config;
}

Config baseline_config(std::int64_t epochs) {
  Config config = cellwise_config(epochs);
  config.space.name = "dartopti";
  config.space.layers = 2;
  config.space.operations = {"skip_connect", "simple_conv_3x3", "max_pool_3x3"};
  config.space.baseline = kBaseline;
  config.search.pretrain_epochs = 1;
  return config;
}

TEST_CASE("a search with a loss for every cell is resumed to the same bits, left gradients included",
          "[ddarts][search][resume]") {
  const test::TemporaryFolder folder;
  for (const std::string mode : {"paper", "published-code"}) {
    const ComponentOptions options{{"ddarts", {{"mode", mode}}}};
    const auto whole = folder.path() / (mode + ".h5");
    REQUIRE(run_to(cellwise_config(2), whole, -1, false, options) == RunEnd::finished);
    CHECK(Archive::open(whole).has("/strategy/hypergradient/left_0") == (mode == "published-code"));
    for (const std::int64_t step : {2, 6}) {
      INFO(mode << " interrupted after step " << step);
      const auto file = folder.path() / (mode + std::to_string(step) + ".h5");
      REQUIRE(run_to(cellwise_config(2), file, step, false, options) == RunEnd::interrupted);
      REQUIRE(run_to(cellwise_config(2), file, -1, /*resume=*/true, options) == RunEnd::finished);
      CHECK(differences(whole, file).empty());
    }
  }
}

TEST_CASE("alphas of every cell start at zero, move apart and give a genotype by position", "[ddarts][search]") {
  const test::TemporaryFolder folder;
  run_to(cellwise_config(2), folder.path() / "run.h5");
  const Archive archive = Archive::open(folder.path() / "run.h5");
  const at::Tensor alphas = get_tensor(archive, "/alphas/alphas");
  REQUIRE(alphas.sizes() == at::IntArrayRef({3, 3, 5, 3}));
  CHECK(alphas[0].abs().max().item<double>() == 0);
  CHECK((alphas[2][0] - alphas[2][1]).abs().max().item<double>() > 0.01);
  const ArchivedRun run(Archive::open(folder.path() / "run.h5"), {});
  const auto space = make_part<SearchSpace>(test::plugins(), "ddarts", {});
  const Derived derived = derive(run.alphas(2, *space), *make_part<Relaxation>(test::plugins(), "sigmoid", {}),
                                 *make_part<Deriver>(test::plugins(), "threshold_complete", {}), run.position(2));
  REQUIRE(derived.genotype.cells.size() == 3);
  CHECK(derived.genotype.reductions == std::vector<int>{1, 2});
  for (std::size_t i = 0; i < 3; ++i)
    for (const double strength : derived.strengths[i]) CHECK(strength > 0.85);
}

TEST_CASE("a search from a baseline starts at its operations, trains weights first and measures distances",
          "[ddarts][search]") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "run.h5";
  REQUIRE(run_to(baseline_config(3), file) == RunEnd::finished);
  const Archive archive = Archive::open(file);
  const at::Tensor alphas = get_tensor(archive, "/alphas/alphas");
  REQUIRE(alphas.sizes() == at::IntArrayRef({4, 1, 5, 3}));  // both positions share a row
  at::Tensor start = at::zeros({5, 3});
  start[0][1] = 10;  // 0 to 2
  start[4][0] = 10;  // 2 to 3
  CHECK(at::equal(alphas[0][0], start));
  CHECK(at::equal(alphas[1], alphas[0]));
  CHECK_FALSE(at::equal(alphas[2], alphas[1]));
  CHECK(archive.values<double>("/metrics/distance").size() == 3);
  CHECK(archive.values<double>("/metrics/distance").front() == 0);

  const auto stopped = folder.path() / "stopped.h5";
  REQUIRE(run_to(baseline_config(3), stopped, 9) == RunEnd::interrupted);
  REQUIRE(run_to(baseline_config(3), stopped, -1, /*resume=*/true) == RunEnd::finished);
  CHECK(differences(file, stopped).empty());
}

TEST_CASE("the alphas' rate falls along a cosine where that is asked for", "[search]") {
  const test::TemporaryFolder folder;
  const auto moved = [&](const std::string& schedule, double least) {
    Config config = cellwise_config(2);
    config.alphas.schedule = schedule;
    config.alphas.lr_min = least;
    run_to(config, folder.path() / (schedule + std::to_string(least) + ".h5"));
    return get_tensor(Archive::open(folder.path() / (schedule + std::to_string(least) + ".h5")), "/alphas/alphas");
  };
  const at::Tensor constant = moved("constant", 0), same = moved("cosine", 0.5), falling = moved("cosine", 0);
  CHECK(at::equal(constant, same));
  CHECK(at::equal(constant[1], falling[1]));
  CHECK_FALSE(at::equal(constant[2], falling[2]));
}

TEST_CASE("a part's state that the part cannot use is refused with its place", "[ddarts][search][archive][hostile]") {
  const auto search_of = [] { return Search(cellwise_config(2), test::plugins(), {}, test::tiny_data()); };
  Search search = search_of();
  test::StopInSecondEpoch observer;
  search.run(observer, observer.interrupt);
  const test::AlteredArchive altered(test::archive_of_short(search).finish());
  const auto problem = [&](const at::Tensor& last) {
    return altered.problem({test::with_tensor("/strategy/stopper/last", last)}, [&](const Archive& archive) {
      Search resumed = search_of();
      restore(resumed, archive);
    });
  };
  CHECK(problem(at::zeros({}, at::kDouble)).empty());
  CHECK(
      problem(at::zeros({2}, at::kDouble)) ==
      "/strategy/stopper: the stopper distance finds no number 'last' in its state; was it written by another version "
      "of a plugin?");
  CHECK(problem(at::full({}, std::nan(""), at::kDouble)) == "/strategy/stopper/last: holds values that are not finite");
}

TEST_CASE("a baseline that the config does not fit is refused", "[ddarts][search][misuse]") {
  const auto refusal = [](const std::function<void(Config&)>& change) {
    Config config = baseline_config(1);
    change(config);
    try {
      const Search search(config, test::plugins(), {}, test::tiny_data());
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK(refusal([](Config& config) { config.space.layers = 3; }) ==
        "space.baseline has 2 cells of 2 nodes, found space.layers=3 and space.nodes=2; set both to the baseline's");
  CHECK(refusal([](Config& config) { config.space.operations = {"skip_connect"}; }) ==
        "space.ops lacks simple_conv_3x3, which space.baseline uses; append it by space.ops=+simple_conv_3x3");
  CHECK(refusal([](Config& config) {
          config.space.baseline = R"({"genes": [[["skip_connect", 3, 0], ["skip_connect", 2, 3]]], "concat": [2, 3]})";
          config.space.layers = 1;
        }) ==
        "space.baseline has skip_connect from node 3 to node 2; the edges of a supernet lead to later nodes, so "
        "number its nodes anew");
  CHECK_THAT(refusal([](Config& config) { config.space.baseline = "ResNet81"; }),
             Catch::Matchers::StartsWith("space.baseline: dartopti has no genotype 'ResNet81'; did you mean"));
  CHECK_THAT(refusal([](Config& config) { config.space.baseline = "{}"; }),
             Catch::Matchers::StartsWith("space.baseline:1:1: no genotype"));
  CHECK(refusal([](Config& config) {
          config.space.name = "darts_cnn";
          config.space.baseline = "DARTS_V2";
        }) ==
        "space.baseline: the space darts_cnn does not start from a network; leave the key out, or set "
        "space.name=dartopti");
}

}  // namespace
