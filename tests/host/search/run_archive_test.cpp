#include "host/search/run_archive.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_tensor.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "tests/catch.hpp"
#include "tests/host/search/altered_run.hpp"

using namespace mixop;
using test::Alteration;
using test::with_attribute;
using test::with_tensor;
using test::with_texts;
using test::without;

namespace {

std::string problem(const std::vector<Alteration>& alterations) {
  static const test::AlteredRun run;
  return run.problem(alterations, [](const Archive& archive) { check_run(archive); });
}

std::string restore_problem(const std::vector<Alteration>& alterations, const Config& config = test::short_config()) {
  static const test::AlteredRun run;
  return run.problem(alterations, [&](const Archive& archive) {
    Search search = test::short_search(config);
    restore(search, archive);
  });
}

const char* const kChange =
    R"({"step":0,"epoch":0,"strategy":"s","relaxation":"a","hypergradient":"b","regulariser":"c",)"
    R"("smoothing":"s","schedule":"t","edge_rule":"d","stopper":"e","deriver":"f","options":{"hypergradient":{"g":"1"}}})";

}  // namespace

TEST_CASE("a run that a search wrote is sound", "[search][archive]") {
  const test::AlteredRun run;
  CHECK_NOTHROW(check_run(run.sound()));
  CHECK(problem({}).empty());
  CHECK(restore_problem({}).empty());
}

TEST_CASE("archives of another kind or a newer version are no runs", "[search][archive][hostile]") {
  const auto other = [](const Attribute& value) { return problem({with_attribute("/@layout", value)}); };
  CHECK(problem({without("/@layout")}) == "/@layout: is not there");
  CHECK(other(std::int64_t{1}) == "/@layout: expected a text, found another type");
  for (const std::string text : {"", "mixop.run", "mixop.run/", "mixop.run/0", "mixop.run/1x", "mixop.network/1"})
    CHECK(other(text) == "/@layout: expected a search, mixop.run/1, found '" + text + "'");
  CHECK(other(std::string("mixop.run/2")) ==
        "/@layout: mixop.run/2; this program reads mixop.run/1, so use a newer one");
}

TEST_CASE("a position that no search can have is refused", "[search][archive][hostile]") {
  const auto at = [](const char* name, const Attribute& value) {
    return problem({with_attribute(std::string("/position@") + name, value)});
  };
  CHECK(at("epoch", std::int64_t{-5}) == "/position@epoch: expected 0 to 3, found -5");
  CHECK(at("epoch", std::int64_t{1'000'000'000'000'000}) == "/position@epoch: expected 0 to 3, found 1000000000000000");
  CHECK(at("epoch", 1.0) == "/position@epoch: expected int64, found another type");
  CHECK(at("step", std::int64_t{-1}) == "/position@step: expected 0 to 9223372036854775807, found -1");
  CHECK(at("step_in_epoch", std::int64_t{-3}) == "/position@step_in_epoch: expected 0 to 6, found -3");
  CHECK(restore_problem({with_attribute("/position@step_in_epoch", std::int64_t{5})}) ==
        "/position@step: does not fit the steps of epochs that the data at hand and search.batch mean (4 in the first "
        "one)");
  CHECK(at("epoch", std::int64_t{0}) ==
        "/position@step: 6 steps, 2 of them in the epoch under way, do not make 0 epochs before it");
  CHECK(at("epoch", std::int64_t{3}) == "/position@step_in_epoch: expected 0 to 0, found 2");
  CHECK(at("samples", std::int64_t{1}) == "/position@samples: expected 2 to 9223372036854775807, found 1");
  CHECK(at("correct", std::int64_t{17}) == "/position@correct: expected 0 to 16, found 17");
  CHECK(at("loss_sum", std::numeric_limits<double>::infinity()) == "/position@loss_sum: is not finite");
  CHECK(at("stop_reason", 1.0) == "/position@stop_reason: expected a text, found another type");
}

TEST_CASE("a run's config must say how many epochs it has", "[search][archive][hostile]") {
  const std::string reason = "/config/resolved: expected a number of epochs from 1 on in search.epochs";
  for (const char* json :
       {"{}", "[1]", R"({"search": 3})", R"({"search": {"epochs": "3"}})", R"({"search": {"epochs": 0}})"})
    CHECK(problem({with_texts("/config/resolved", {json})}) == reason);
  CHECK(problem({with_texts("/config/resolved", {"{"})}).rfind("/config/resolved:1:2: ", 0) == 0);
}

TEST_CASE("histories of another length than the run are refused", "[search][archive][hostile]") {
  const auto numbers = [](const std::string& path, std::int64_t count) {
    return problem({with_tensor(path, at::zeros({count}, at::kDouble))});
  };
  CHECK(problem({with_texts("/genotypes", {})}) == "/genotypes: expected 2, one for the start and each epoch, found 0");
  CHECK(problem({with_texts("/genotypes", {"{}", "{}"})}).rfind("/genotypes", 0) == 0);
  CHECK(numbers("/metrics/train_loss", 0) == "/metrics/train_loss: expected 1, one for each epoch, found 0");
  CHECK(numbers("/metrics/step_train_loss", 7) == "/metrics/step_train_loss: expected 6, one for each step, found 7");
  CHECK(problem({without("/metrics/valid_accuracy")}) == "/metrics/valid_accuracy: is not there");
  CHECK(problem({{"/metrics/learning_rate",
                  [](ArchiveBuilder& archive, const std::string& path) {
                    put_tensor(archive, path, at::zeros({1}, at::kDouble));
                    put_tensor(archive, "/metrics/other", at::zeros({2}, at::kDouble));
                  }}}) == "/metrics/other: expected 1, one for each epoch, found 2");
  CHECK(problem({without("/metrics/step_train_loss")}) == "/metrics/step_train_loss: is not there");
  CHECK(numbers("/provenance/epoch_seconds", 2) ==
        "/provenance/epoch_seconds: expected 1, one for each epoch, found 2");
  CHECK(problem({with_tensor("/metrics/train_loss", at::zeros({1}, at::kFloat))}) ==
        "/metrics/train_loss: expected float64, found float32");
}

TEST_CASE("a strategy history that cannot be read is refused", "[search][archive][hostile]") {
  const auto history = [](const std::vector<std::string>& texts) {
    return problem({with_texts("/strategy_history", texts)});
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = kChange;
    return history({text.replace(text.find(from), from.size(), to)});
  };
  CHECK(history({kChange}).empty());
  CHECK(history({}) == "/strategy_history: is empty; a search has a strategy from its start on");
  CHECK(history({kChange, "nonsense"}).rfind("/strategy_history:1:", 0) == 0);
  CHECK(changed("\"step\":0,", "") == "/strategy_history: expected a whole number in 'step', found nothing");
  CHECK(changed("\"f\"", "null") == "/strategy_history: expected a text in 'deriver', found null");
  CHECK(changed("\"options\"", "\"option\"") == "/strategy_history: expected an object in 'options', found nothing");
  CHECK(changed("\"hypergradient\":{", "\"gradient\":{") == "/strategy_history: unknown slot 'gradient' in 'options'");
  CHECK(changed("{\"g\":\"1\"}", "2") == "/strategy_history: expected an object in 'hypergradient', found 2");
  CHECK(changed("\"1\"", "1") == "/strategy_history: expected a text in 'g', found 1");
}

TEST_CASE("a resume follows the strategy history: its last entry is in force", "[search][archive][strategy]") {
  const auto entry = [](const std::string& hypergradient, const std::string& edge_rule, const std::string& options) {
    return R"({"step":0,"epoch":0,"strategy":"s","relaxation":"softmax","hypergradient":")" + hypergradient +
           R"(","regulariser":"none","smoothing":"none","schedule":"none","edge_rule":")" + edge_rule +
           R"(","stopper":"none","deriver":"darts","options":)" + options + "}";
  };
  const std::string first = entry("first_order", "none", "{}"),
                    second = entry("second_order", "none", R"({"hypergradient":{"epsilon":"0.02"}})");
  const test::AlteredRun run;
  Search search = test::short_search();
  CHECK(search.strategy().choices().at("hypergradient").part == "first_order");
  const Archive archive = run.open({with_texts("/strategy_history", {first, second})});
  restore(search, archive);
  CHECK(search.strategy().choices().at("hypergradient").part == "second_order");
  CHECK(search.strategy().choices().at("hypergradient").options.at("epsilon") == "0.02");
  CHECK(search.history().strategies.size() == 2);
  CHECK((ArchivedRun(run.open({with_texts("/strategy_history", {first, second})}), {}).parts(1) ==
        search.strategy().choices()));

  const auto followed = [&](const std::string& last) {
    return restore_problem({with_texts("/strategy_history", {first, last})});
  };
  CHECK(followed(second).empty());
  CHECK(followed(entry("first_order", "partial_channels", R"({"edge_rule":{"divisor":"2"}})")) ==
        "/strategy_history: strategy.edge_rule=partial_channels needs a network of other channels or edges than "
        "that of the search; start a new one");
  CHECK(followed(entry("third_order", "none", "{}")).rfind("/strategy_history: unknown hypergradient", 0) == 0);
  CHECK(followed(entry("second_order", "none", R"({"hypergradient":{"epsilon":"0"}})")) ==
        "/strategy_history: second_order: second_order.epsilon: expected a number above 0, found 0");
}

TEST_CASE("a run that a swap changed goes on with what its history says", "[search][archive][strategy][resume]") {
  const auto finished = [](bool swaps_before) {
    Search search = test::short_search();
    const auto swap = [&] {
      std::vector<StrategyChange> changes = search.history().strategies;
      changes.push_back({6, 1, "second_order", parts_of(test::plugins(), {"second_order", {}})});
      search.follow(std::move(changes));
    };
    test::StopInSecondEpoch observer;
    search.run(observer, observer.interrupt);
    swap();
    if (swaps_before) {
      const test::TemporaryFolder folder;
      const auto file = folder.path() / "run.h5";
      test::archive_of_short(search).save(file);
      Search resumed = test::short_search();
      restore(resumed, Archive::open(file));
      test::StopInSecondEpoch none;
      resumed.run(none, none.interrupt);
      return resumed.history().alphas.back()[0];
    }
    observer.interrupt = 0;
    search.run(observer, observer.interrupt);
    return search.history().alphas.back()[0];
  };
  CHECK(at::equal(finished(false), finished(true)));
}

TEST_CASE("metrics of a search that are not finite are refused", "[search][archive][hostile]") {
  CHECK(problem({with_tensor("/metrics/train_loss", at::full({1}, std::numeric_limits<double>::quiet_NaN()))}) ==
        "/metrics/train_loss: holds values that are not finite");
}

TEST_CASE("alphas that are no alphas of the run are refused", "[search][archive][hostile]") {
  const auto alphas = [](const at::Tensor& tensor) { return problem({with_tensor("/alphas/alphas_normal", tensor)}); };
  const std::string shape = "/alphas/alphas_normal: expected the shape [2, (cells,) edges, 8], found ";
  CHECK(alphas(at::zeros({2, 5, 1})) == shape + "[2, 5, 1]");
  CHECK(alphas(at::zeros({3, 5, 8})) == shape + "[3, 5, 8]");
  CHECK(alphas(at::zeros({2, 8})) == shape + "[2, 8]");
  CHECK(alphas(at::zeros({})) == shape + "[]");
  CHECK(alphas(at::zeros({2, 5, 8}, at::kInt)) == "/alphas/alphas_normal: expected float32 or float64, found int32");
  CHECK(alphas(at::full({2, 5, 8}, std::numeric_limits<double>::quiet_NaN())) ==
        "/alphas/alphas_normal: holds values that are not finite");
  CHECK(problem({without("/operations/alphas_normal")}) == "/operations/alphas_normal: is not there");
  CHECK(problem({with_tensor("/position/alphas/alphas_normal",
                             at::full({5, 8}, std::numeric_limits<double>::infinity()))}) ==
        "/position/alphas/alphas_normal: holds values that are not finite");
}

TEST_CASE("a random state that LibTorch does not take is refused", "[search][archive][hostile]") {
  const auto state = [](std::int64_t bytes) {
    return problem({with_tensor("/random/generator", at::zeros({bytes}, at::kByte))});
  };
  const std::string end =
      " bytes are no state of LibTorch's generator, which has 5056; was it written by another version of LibTorch?";
  CHECK(problem({{"/random/generator", [](ArchiveBuilder& archive, const std::string& path) {
                    archive.array(path, ElementType::uint8, {0, std::uint64_t{1} << 40}, nullptr);
                  }}}) == "/random/generator: an empty array of the shape [0, 1099511627776]");
  CHECK(state(16) == "/random/generator: the 16" + end);
  CHECK(state(5056) == "/random/generator: LibTorch's generator takes no such values as its state; was it written by "
                       "another version of LibTorch?");
}

TEST_CASE("a random state from which LibTorch would draw behind its numbers is refused", "[search][archive][hostile]") {
  // LibTorch's layout: the seed, int left, int seeded, uint64 next, 624 numbers of 64 bits, what is left of a pair.
  constexpr std::int64_t kLeft = 8, kNext = 16, kNumbers = 24, kFloatIsThere = 5052;
  const auto state = [](std::vector<std::pair<std::int64_t, std::int64_t>> bytes) {
    at::Tensor sound = at::detail::createCPUGenerator(1).get_state();
    for (const auto& [place, value] : bytes) sound[place] = value;
    return problem({with_tensor("/random/generator", sound)});
  };
  CHECK(state({}).empty());
  CHECK(state({{kLeft, 0x70}, {kLeft + 1, 2}, {kNext, 1}}).empty());  // 624 left, the next is the second
  const std::string most = "/random/generator: expected at most 625 for the next number's place and the numbers that are left "
                           "together, found ";
  CHECK(state({{kLeft, 0x70}, {kLeft + 1, 2}, {kNext, 2}}) == most + "2 and 624; take another archive");
  CHECK(state({{kLeft, 10}, {kNext, 0x70}, {kNext + 1, 2}}) == most + "624 and 10; take another archive");
  const std::string other = "/random/generator: LibTorch reads another state from it than is there; was it written by another "
                            "version of LibTorch?";
  CHECK(state({{kNext + 4, 1}}) == other);
  CHECK(state({{kNumbers + 4, 1}}) == other);
  CHECK(state({{kFloatIsThere, 2}}) == other);
}

TEST_CASE("a provenance without what resuming asks is refused", "[search][archive][hostile]") {
  CHECK(problem({without("/provenance@started")}) == "/provenance@started: is not there");
  CHECK(problem({with_attribute("/provenance@dataset_digest", 1.0)}) ==
        "/provenance@dataset_digest: expected a text, found another type");
}

TEST_CASE("a sound run that does not fit its own search is not restored", "[search][resume][hostile]") {
  const std::string misfit =
      ": the archive's array does not have the shape and type that its own config means; was it written by another "
      "version of a plugin?";
  CHECK(restore_problem({with_tensor("/weights/classifier.bias", at::zeros({3}))}) ==
        "/weights/classifier.bias" + misfit);
  CHECK(restore_problem({with_tensor("/weights/classifier.bias", at::zeros({4}, at::kDouble))}) ==
        "/weights/classifier.bias" + misfit);
  CHECK(restore_problem(
            {with_tensor("/weights/classifier.bias", at::full({4}, std::numeric_limits<double>::quiet_NaN()))}) ==
        "/weights/classifier.bias: holds values that are not finite");
  CHECK(restore_problem({without("/weights/classifier.bias")}) == "/weights/classifier.bias: is not there");
  CHECK(restore_problem({with_tensor("/alphas/alphas_normal", at::zeros({2, 5, 8}, at::kDouble))}) ==
        "/alphas/alphas_normal" + misfit);
  CHECK(restore_problem({with_tensor("/alphas/alphas_normal", at::zeros({2, 3, 8}))}) ==
        "/alphas/alphas_normal: expected the shape [2, 5, 8], which the config's space means, found [2, 3, 8]");
  CHECK(restore_problem({with_attribute("/position@epoch", std::int64_t{-1})}) ==
        "/position@epoch: expected 0 to 3, found -1");
}

TEST_CASE("a run whose epochs have other lengths than the data gives is not restored", "[search][resume][hostile]") {
  Config config = test::short_config();
  config.search.batch = 4;
  const auto length = std::to_string(test::short_search(config).data().steps_in(0));
  CHECK(restore_problem({}, config) ==
        "/position@step: does not fit the steps of epochs that the data at hand and search.batch mean (" + length +
            " in the first one)");
}

TEST_CASE("a config that is none is the archive's fault", "[search][archive][hostile]") {
  const test::AlteredRun run;
  CHECK(run.problem({with_texts("/config/resolved", {R"({"search": {"epochs": 3, "batch": -1}})"})},
                    [](const Archive& archive) { archived_config(archive, {}); })
            .rfind("/config/resolved:1:35: ", 0) == 0);
  CHECK((archived_config(run.sound(), {}) == test::short_config()));
}

TEST_CASE("a restored search has its whole history again", "[search][resume]") {
  const test::TemporaryFolder folder;
  Search search = test::short_search();
  PartChoices parts = search.strategy().choices();
  parts.at("relaxation") = {"sigmoid", {}};
  search.history().strategies.push_back({3, 1, "another", parts});
  search.history().stop_reason = "enough";
  const auto file = folder.write("run.h5", test::archive_of_short(search).finish());
  Search again = test::short_search();
  restore(again, Archive::open(file));
  REQUIRE(again.history().strategies.size() == 2);
  const StrategyChange& last = again.history().strategies.back();
  CHECK(last.step == 3);
  CHECK(last.epoch == 1);
  CHECK(last.strategy == "another");
  CHECK((last.parts == parts));
  CHECK(again.history().stop_reason == "enough");
}

TEST_CASE("the provenance names the compiler that made the program", "[search][archive]") {
  const auto version = [](int major, int minor, int patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  };
#ifdef __clang__
  const std::string expected = "Clang " + version(__clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  const std::string expected = "GNU " + version(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  CHECK(test::AlteredRun().sound().text("/provenance", "compiler") == expected);
}

TEST_CASE("the provenance names LibTorch's CUDA and the seed", "[search][archive]") {
  const test::AlteredRun run;
  CHECK(run.sound().integer("/provenance", "seed") == 5);
  CHECK_THAT(run.sound().text("/provenance", "cuda"), Catch::Matchers::Matches("none|[0-9]+\\.[0-9]+"));
}
