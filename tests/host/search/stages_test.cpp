#include <ATen/ATen.h>

#include <chrono>
#include <thread>

#include "host/search/archived_run.hpp"
#include "host/search/stored_tensor.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/altered_run.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;
using test::differences;
using test::run_to;

/// Three epochs of four steps by stages of one, each of a cell more.
Config staged(const std::string& strategy = "p_darts") {
  Config config = test::small_config(3);
  config.alphas.lr = 0.1;
  config.space.stem = "cifar";
  config.search.strategy = strategy;
  return config;
}

const ComponentOptions kOneMore{{"stages", {{"layers", "1"}}}};

/// The genotype that a run's archive gives of one of its rows.
Genotype derived(const std::filesystem::path& file, std::int64_t row) {
  const ArchivedRun run(Archive::open(file), {});
  const PartChoices parts = run.parts(row);
  const auto space = make_space(test::plugins(), run.config().space.name, {});
  return derive(run.alphas(row, *space), *make_part<Relaxation>(test::plugins(), parts),
                *make_part<Deriver>(test::plugins(), parts), run.position(row))
      .genotype;
}

TEST_CASE("a stage has a network of its own, and operations that its archive tells of", "[search][stages]") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "run.h5";
  REQUIRE(run_to(staged(), file, -1, false, kOneMore) == RunEnd::finished);
  const Archive archive = Archive::open(file);
  CHECK(archive.has("/weights/cells.4.preprocess1.op.1.weight"));
  CHECK_FALSE(archive.has("/weights/cells.5.preprocess1.op.1.weight"));
  const at::Tensor dropped = get_tensor(archive, "/dropped/alphas_normal");
  CHECK(dropped.sizes() == get_tensor(archive, "/alphas/alphas_normal").sizes());
  for (const auto& [row, of_edge] : {std::pair{0, 0}, {1, 3}, {2, 5}, {3, 5}})
    CHECK(at::equal(dropped[row].sum(-1), at::full({5}, of_edge, at::kLong)));
  for (std::int64_t row = 0; row <= 3; ++row) CHECK(derived(file, row) == genotypes(archive)[static_cast<std::size_t>(row)]);
}

TEST_CASE("the learning rate begins anew with every stage, and weights are trained alone at each network's start",
          "[search][stages]") {
  const test::TemporaryFolder folder;
  Config config = staged();
  config.search.epochs = 6;
  config.search.pretrain_epochs = 1;
  Search search(config, test::plugins(), kOneMore, test::tiny_data());
  test::RunWatcher watcher(search, folder.path() / "run.h5");
  std::vector<bool> moved;
  at::Tensor before = search.problem().alphas()[0].clone();
  watcher.on_each_step = [&] {
    const LoopPosition& here = search.position();
    if (here.step_in_epoch > 1) moved.push_back(!at::equal(before, search.problem().alphas()[0]));
    before = search.problem().alphas()[0].clone();
  };
  search.run(watcher, watcher.interrupt);
  const std::vector<double>& rates = search.record().metrics.at("learning_rate");
  for (const std::size_t epoch : {0, 2, 4}) {
    CHECK(rates[epoch] == Approx(0.025));
    CHECK(rates[epoch + 1] == Approx((0.025 + 0.001) / 2));
  }
  REQUIRE(moved.size() == 18);
  for (std::size_t i = 0; i < moved.size(); ++i) CHECK(moved[i] == (i / 3 % 2 == 1));
}

TEST_CASE("a search by stages that is interrupted at any step is resumed to the same bits", "[search][stages][resume]") {
  const test::TemporaryFolder folder;
  const auto whole = folder.path() / "whole.h5", stopped = folder.path() / "stopped.h5";
  run_to(staged(), whole, -1, false, kOneMore);
  for (const std::int64_t step : {3, 4, 5, 8, 11}) {
    INFO("interrupted after step " << step);
    REQUIRE(run_to(staged(), stopped, step, false, kOneMore) == RunEnd::interrupted);
    REQUIRE(run_to(staged(), stopped, -1, /*resume=*/true, kOneMore) == RunEnd::finished);
    CHECK(differences(whole, stopped).empty());
  }
}

TEST_CASE("interrupted at any moment, in the midst of decisions too, a search is resumed to the same bits",
          "[search][stages][resume]") {
  const test::TemporaryFolder folder;
  const auto whole = folder.path() / "whole.h5", stopped = folder.path() / "stopped.h5";
  const Config config = staged("darts_pt");
  run_to(config, whole);
  REQUIRE(Archive::open(whole).has("/dropped/alphas_normal"));
  int interrupted = 0;
  for (int wait = 0; wait < 12; ++wait) {
    bool resume = false;
    for (bool finished = false; !finished; resume = true) {
      Search search(config, test::plugins(), {}, test::tiny_data());
      if (resume) restore(search, Archive::open(stopped));
      test::RunWatcher watcher(search, stopped);
      std::thread hand;
      if (!resume) hand = std::thread([&, wait] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5 + 37 * wait));
        watcher.interrupt = 2;
      });
      finished = search.run(watcher, watcher.interrupt) == RunEnd::finished;
      interrupted += finished ? 0 : 1;
      if (hand.joinable()) hand.join();
    }
    INFO("after " << 5 + 37 * wait << " ms");
    CHECK(differences(whole, stopped).empty());
  }
  CHECK(interrupted > 0);
}

TEST_CASE("a schedule that makes networks anew is swapped neither in nor out, one that drops operations is",
          "[search][stages][swap][misuse]") {
  const test::TemporaryFolder folder;
  const auto swapped = [&](const std::string& from, const std::string& to) {
    Search search(staged(from), test::plugins(), kOneMore, test::tiny_data());
    const PartChoices parts = parts_of(test::plugins(), {to, {}}, kOneMore);
    try {
      search.exchange(to, parts);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const char* refused =
      "strategy.schedule=stages makes networks anew between epochs, so it is in force in all epochs of a search or in none; "
      "start a new one";
  CHECK(swapped("first_order", "p_darts") == refused);
  CHECK(swapped("p_darts", "first_order") == refused);
  CHECK(swapped("first_order", "darts_pt").empty());
  CHECK(swapped("darts_pt", "gdas").empty());
  Config config = staged("first_order@0,p_darts@1");
  CHECK_THROWS_WITH(Search(config, test::plugins(), kOneMore, test::tiny_data()), refused);
}

TEST_CASE("stages that a space's alphas or its cells do not allow are refused at the start", "[search][stages][misuse]") {
  Config config = staged();
  config.space.name = "ddarts";
  config.space.operations = {"skip_connect", "sep_conv_3x3"};
  CHECK_THROWS_WITH(Search(config, test::plugins(), kOneMore, test::tiny_data()),
                    Catch::Matchers::Contains("makes the network deeper") && Catch::Matchers::Contains("space.name=ddarts"));
  CHECK_NOTHROW(Search(config, test::plugins(), {{"stages", {{"layers", "0"}}}}, test::tiny_data()));
  CHECK_THROWS_WITH(Search(staged(), test::plugins(), {{"stages", {{"layers", "900"}}}}, test::tiny_data()),
                    "schedule 'stages': 1800 cells more than space.layers (3): expected from 0 on, and at most 1000 together");
}

TEST_CASE("a prediction of memory goes through all networks of a search", "[search][stages][memory]") {
  Search search(staged(), test::plugins(), kOneMore, test::tiny_data());
  REQUIRE(search.later_networks() == std::vector<std::int64_t>{1, 2});
  search.try_stage(1);
  search.try_stage(2);
  CHECK(search.more_layers() == 2);
  const auto& schedule = search.strategy().part<Schedule>();
  CHECK(schedule.measured().at("operations_left") == 2 * 5 * 3);
  CHECK(search.later_networks().empty());
}

TEST_CASE("stages by alphas that the first network does not read are refused, and cells that do not fit name the schedule",
          "[search][stages][misuse]") {
  Config config = staged();
  config.space.layers = 1;
  CHECK_THROWS_WITH(Search(config, test::plugins(), kOneMore, test::tiny_data()),
                    "schedule 'stages' goes by the alphas 'alphas_normal' from the first stage on, and no cell of its network reads "
                    "them; take more space.layers (1), such as 3");
  config = staged();
  config.space.name = "nasbench201";
  config.space.nodes = 4;
  config.space.operations = {"none", "skip_connect", "nor_conv_1x1"};
  CHECK_THROWS_WITH(Search(config, test::plugins(), kOneMore, test::tiny_data()),
                    Catch::StartsWith("schedule 'stages' makes a network of 1 cells more than space.layers (3): space.layers: "));
}

TEST_CASE("an archive without the state of a part that has one is not gone on with", "[search][stages][hostile]") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "run.h5";
  run_to(staged(), file, 6, false, kOneMore);
  const test::AlteredArchive altered(test::altered(Archive::open(file), {}).finish());
  const auto problem = [&](const test::Alteration& alteration) {
    return altered.problem({alteration}, [](const Archive& archive) {
      Search search(staged(), test::plugins(), kOneMore, test::tiny_data());
      restore(search, archive);
    });
  };
  CHECK(problem(test::without("/strategy/schedule")) ==
        "/strategy/schedule: is not there, and schedule 'stages' has a state; was it written by another version of a plugin?");
  CHECK_THAT(problem(test::with_tensor("/strategy/schedule/dropped_0", at::full({1, 5, 8}, 7, at::kByte))),
             Catch::Contains("finds no 'dropped_0' of zeros and ones in the shape of 'alphas_normal' in its state"));
}

TEST_CASE("smoothing leaves the only operation of an edge its weight", "[search][dropped][smoothing]") {
  const test::TemporaryFolder folder;
  Config config = staged("darts_pt");
  config.search.epochs = 1;
  config.strategy["smoothing"] = "random";
  Search search(config, test::plugins(), {{"random", {{"start", "0.3"}}}}, test::tiny_data());
  test::RunWatcher watcher(search, folder.path() / "run.h5");
  REQUIRE(search.run(watcher, watcher.interrupt) == RunEnd::finished);
  SearchProblem& problem = search.problem();
  const std::vector<Relaxed> before = problem.edge_weights(Wrt::nothing), after = problem.smoothed(before);
  for (std::size_t set = 0; set < after.size(); ++set) {
    CHECK(after[set].weights.gt(0).sum(-1).max().item<std::int64_t>() == 1);
    CHECK((after[set].weights - before[set].weights).abs().max().item<double>() < 1e-6);
  }
}

TEST_CASE("what an archive tells of dropped operations is checked", "[search][stages][hostile]") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "run.h5";
  run_to(staged(), file, -1, false, kOneMore);
  const Archive sound = Archive::open(file);
  std::vector<std::byte> bytes = test::altered(sound, {}).finish();
  const test::AlteredArchive altered(bytes);
  const std::string path = "/dropped/alphas_normal";
  const at::Tensor dropped = get_tensor(sound, path);
  const auto problem = [&](const test::Alteration& alteration) {
    return altered.problem({alteration}, [](const Archive& archive) { check_run(archive); });
  };
  CHECK(problem({"/none", {}}).empty());
  CHECK(problem(test::with_tensor(path, dropped * 2)) == path + ": expected 0 and 1, found 2");
  CHECK(problem(test::with_tensor(path, dropped.to(at::kFloat))) ==
        path + ": expected uint8 of the shape [4, 5, 8], as its alphas have, found float32 of [4, 5, 8]");
  CHECK(problem(test::with_tensor(path, dropped.narrow(0, 0, 3))) ==
        path + ": expected uint8 of the shape [4, 5, 8], as its alphas have, found uint8 of [3, 5, 8]");
}

}  // namespace
