#include "host/search/composition.hpp"

#include <ATen/ATen.h>

#include "host/search/stored_tensor.hpp"
#include "mixop/gradients.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;
using Catch::Contains;

/// The build's plugins and those of the fixture.
const PluginRegistry& plugins() {
  static const PluginRegistry registry = [] {
    PluginRegistry loaded;
    loaded.load_folder(MIXOP_PLUGIN_BUILD_DIR);
    loaded.load_file(std::filesystem::canonical(MIXOP_TEST_PLUGIN_DIR "/test_sampled.so"));
    return loaded;
  }();
  return registry;
}

SlotNames names(const std::string& slot, const std::string& part) {
  SlotNames exchanged;
  exchanged[slot] = part;
  return exchanged;
}

/// Remembers how it was asked.
class Asked final : public Relaxation {
 public:
  Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const override {
    asked.push_back(how);
    if (writes) alphas.data().add_(1);
    return {weights.defined() ? weights : alphas, active};
  }
  mutable std::vector<RelaxationContext> asked;
  bool writes = false;
  at::Tensor weights;
  std::vector<bool> active;
};

std::vector<std::uint64_t> keys_of(std::uint64_t step_key) {
  Asked asked;
  (void)relax(asked, std::vector<AlphaSet>(2), {at::zeros({2, 3}), at::zeros({2, 3})}, {{4, 9, 70}, Phase::evaluate, step_key});
  std::vector<std::uint64_t> keys;
  for (const RelaxationContext& how : asked.asked) {
    CHECK(how.phase == Phase::evaluate);
    CHECK(how.position.epoch == 4);
    CHECK(how.position.step == 70);
    keys.push_back(how.key);
  }
  return keys;
}

}  // namespace

TEST_CASE("a part in another slot's place is unknown there", "[search][strategy][misuse]") {
  CHECK_THROWS_WITH(parts_of(plugins(), {"test.misplaced", {}}), Contains("unknown hypergradient 'softmax'"));
  CHECK_THROWS_WITH(parts_of(plugins(), {"first_order", names("stopper", "darts")}), Contains("unknown stopper 'darts'"));
}

TEST_CASE("a strategy that sets an option which its part does not have is refused", "[search][strategy][misuse]") {
  CHECK_THROWS_WITH(Composition(plugins(), parts_of(plugins(), {"test.mistaken", {}})),
                    Contains("unknown option of test.sampled 'speed'"));
}

TEST_CASE("a strategy's parts stand in every slot, empty ones where it names none", "[search][strategy]") {
  const PartChoices parts = parts_of(plugins(), {"second_order", {}});
  CHECK(parts.size() == strategy_slots.size());
  CHECK(parts.at("relaxation").part == "softmax");
  CHECK(parts.at("hypergradient").part == "second_order");
  CHECK(parts.at("hypergradient").options.at("epsilon") == "0.01");
  for (const char* empty : {"regulariser", "smoothing", "edge_rule", "schedule", "stopper"}) CHECK(parts.at(empty).part == "none");
}

TEST_CASE("options that a strategy brings replace its parts' defaults, and the user's replace both",
          "[search][strategy]") {
  const auto temperature = [](const PartChoices& parts) { return parts.at("relaxation").options.at("temperature"); };
  CHECK(temperature(parts_of(plugins(), {"test.sampled", {}})) == "0.5");
  CHECK(temperature(parts_of(plugins(), {"test.sampled", {}}, {{"test.sampled", {{"temperature", "2"}}}})) == "2");
  CHECK(temperature(parts_of(plugins(), {"first_order", names("relaxation", "test.sampled")})) == "1");
  CHECK(temperature(parts_of(plugins(), {"test.sampled", names("relaxation", "test.sampled")})) == "0.5");
  CHECK(temperature(parts_of(plugins(), {"test.sampled", names("relaxation", "softmax")})) == "1");
  CHECK(Composition(plugins(), parts_of(plugins(), {"test.sampled", {}})).measured().at("temperature") == 0.5);
}

TEST_CASE("an exchange keeps the parts that stay, and all of them where one cannot be made", "[search][strategy]") {
  Composition composition(plugins(), parts_of(plugins(), {"first_order", {}}));
  const Relaxation* const softmax = &composition.part<Relaxation>();
  const Hypergradient* const first = &composition.part<Hypergradient>();
  PartChoices bad = parts_of(plugins(), {"second_order", {}});
  bad.at("hypergradient").options["epsilon"] = "0";
  CHECK_THROWS_WITH(composition.exchange(plugins(), bad), Contains("second_order.epsilon"));
  CHECK(&composition.part<Hypergradient>() == first);
  CHECK(composition.choices().at("hypergradient").part == "first_order");
  composition.exchange(plugins(), parts_of(plugins(), {"second_order", {}}));
  CHECK(&composition.part<Relaxation>() == softmax);
  CHECK(composition.choices().at("hypergradient").part == "second_order");
}

TEST_CASE("what parts measure is finite and has one name each", "[search][strategy][misuse]") {
  const auto measured = [](const std::map<std::string, std::string>& options) {
    const PartChoices parts = parts_of(plugins(), {"test.sampled", names("stopper", "test.measuring")},
                                       {{"test.measuring", options}});
    return Composition(plugins(), parts).measured();
  };
  CHECK(measured({}) == std::map<std::string, double>{{"own", 1}, {"temperature", 0.5}});
  CHECK_THROWS_WITH(measured({{"as", "temperature"}}),
                    "strategy.stopper=test.measuring measures 'temperature', and so does another part; exchange one of "
                    "them");
  CHECK_THROWS_WITH(measured({{"endless", "true"}}),
                    "strategy.stopper=test.measuring measures 'own' as inf; expected a finite number");
}

TEST_CASE("a part's measure under a name of every search ends the run", "[search][strategy][misuse]") {
  Config config = test::small_config(1);
  config.strategy["stopper"] = "test.measuring";
  Search search(config, plugins(), {{"test.measuring", {{"as", "valid_loss"}}}}, test::tiny_data());
  const test::TemporaryFolder folder;
  test::RunWatcher watcher(search, folder.path() / "run.h5");
  CHECK_THROWS_WITH(search.run(watcher, watcher.interrupt),
                    "a part of the strategy measures 'valid_loss', which every search does; the plugin must give it "
                    "another name");
}

TEST_CASE("every alpha set is relaxed with a key of its own", "[search][strategy]") {
  const auto keys = keys_of(7);
  REQUIRE(keys.size() == 2);
  CHECK(keys[0] != keys[1]);
  CHECK(keys == keys_of(7));
  CHECK(keys[0] != keys_of(8)[0]);
  CHECK(keys[0] != 7);
}

TEST_CASE("relaxed alphas of another shape are refused", "[search][strategy][misuse]") {
  Asked asked;
  const auto relaxed = [&] { return relax(asked, std::vector<AlphaSet>(1), {at::zeros({2, 3})}, {}); };
  CHECK(relaxed().size() == 1);
  asked.active = {true, false};
  asked.called = "relaxation 'acme.x'";
  CHECK_THROWS_WITH(relaxed(), "relaxation 'acme.x': relax: it says of 2 operations whether they are active; expected none or all 6; "
                               "the plugin must be fixed");
  asked.active.clear();
  asked.writes = true;
  CHECK_THROWS_WITH(relaxed(), "relaxation 'acme.x': relax: the alphas were changed; compute with copies; the plugin must be fixed");
  asked.writes = false;
  asked.weights = at::full({2, 3}, std::nan(""));
  CHECK_THROWS_WITH(relaxed(), "relaxation 'acme.x': relax: weights that are not finite, of alphas that are; the plugin must be fixed");
  asked.weights = at::zeros({3, 2});
  CHECK_THROWS_WITH(relaxed(),
                    "relaxation 'acme.x': relax: expected weights of the alphas' shape [2, 3], found [3, 2]; the plugin must be fixed");
}

TEST_CASE("genotypes are derived in a phase of their own, at the epoch that ended", "[search][strategy]") {
  CHECK(derived_at(0, 3).epoch == 0);
  CHECK(derived_at(1, 3).epoch == 0);
  CHECK(derived_at(3, 3).epoch == 2);
  CHECK(derived_at(9, 3).epoch == 2);
  Asked asked;
  const auto weights = relaxed_for_derivation(asked, std::vector<AlphaSet>(1), {at::ones({2, 3}, at::kDouble)}, derived_at(3, 3));
  CHECK(weights.front().scalar_type() == at::kFloat);
  REQUIRE(asked.asked.size() == 1);
  CHECK(asked.asked[0].phase == Phase::derive);
  CHECK(asked.asked[0].position.epoch == 2);
  CHECK(asked.asked[0].position.epochs == 3);
}

namespace {

Config sampled_config(std::int64_t epochs) {
  Config config = test::small_config(epochs);
  config.search.strategy = "test.sampled";
  config.alphas.lr = 0.01;
  return config;
}

/// What a search of sampled operations has drawn of a choice's candidate.
bool is_active(const std::vector<Relaxed>& relaxed, const Choice& choice, std::size_t candidate) {
  const std::size_t row = static_cast<std::size_t>(choice.alphas.edge) * choice.candidates.size();
  return relaxed[static_cast<std::size_t>(choice.alphas.set)].active[row + candidate];
}

}  // namespace

TEST_CASE("operations that a relaxation leaves out are not computed and have no gradient", "[search][strategy]") {
  Search search(sampled_config(2), plugins(), {}, test::tiny_data());
  SearchProblem& problem = search.problem();
  problem.set_step({search.drawn_batch(8), search.drawn_batch(8), {}, 3, 0.1, 5});
  const std::vector<Relaxed> relaxed = problem.edge_weights(Wrt::nothing);
  const auto found = problem.gradients(problem.train_loss(Wrt::weights, false), problem.weights());
  std::map<std::string, at::Tensor> gradient;
  std::size_t place = 0;
  for (const StateEntry& entry : distinct_state(search.network()))
    if (entry.kind == StateKind::parameter) gradient[entry.name] = found[place++];

  std::size_t computed = 0, left_out = 0;
  for (const Block& block : search.network().graph().blocks) {
    for (const Edge& edge : block.cell.edges) {
      const auto* choice = std::get_if<Choice>(&edge.does);
      if (choice == nullptr) continue;
      for (std::size_t k = 0; k < choice->candidates.size(); ++k) {
        const std::string prefix = block.cell.name + "." + edge.name + "._ops." + std::to_string(k) + ".";
        for (auto at = gradient.lower_bound(prefix); at != gradient.end() && at->first.rfind(prefix, 0) == 0; ++at) {
          INFO(at->first);
          const bool zero = at->second.abs().max().item<double>() == 0;
          if (is_active(relaxed, *choice, k)) {
            computed += zero ? 0 : 1;
          } else {
            CHECK(zero);
            ++left_out;
          }
        }
      }
    }
  }
  CHECK(computed > 0);
  CHECK(left_out > computed);
}

TEST_CASE("a sampling relaxation draws anew in every step and set, and is quiet where a genotype is derived",
          "[search][strategy]") {
  Search search(sampled_config(2), plugins(), {}, test::tiny_data());
  SearchProblem& problem = search.problem();
  const auto drawn = [&](std::uint64_t key) {
    problem.set_step({{}, {}, {}, key, 0.1, 5});
    return problem.edge_weights(Wrt::nothing);
  };
  CHECK(drawn(1)[0].active == drawn(1)[0].active);
  CHECK(drawn(1)[0].active != drawn(2)[0].active);
  CHECK(drawn(1)[0].active != drawn(1)[1].active);
  const auto relaxed = search.relaxed(problem.alphas());
  for (std::size_t set = 0; set < relaxed.size(); ++set)
    CHECK(at::equal(relaxed[set], at::softmax(problem.alphas()[set].detach() / 0.5, -1)));
}

TEST_CASE("a sampled search is archived with its options and metrics, and resumes to the same bits",
          "[search][strategy][resume]") {
  const test::TemporaryFolder folder;
  const auto run = [&](const std::string& name, std::int64_t stop_at, bool resume) {
    Search search(sampled_config(2), plugins(), {}, test::tiny_data());
    if (resume) restore(search, Archive::open(folder.path() / name));
    test::RunWatcher watcher(search, folder.path() / name, stop_at);
    return search.run(watcher, watcher.interrupt);
  };
  REQUIRE(run("whole.h5", -1, false) == RunEnd::finished);
  REQUIRE(run("stopped.h5", 5, false) == RunEnd::interrupted);
  REQUIRE(run("stopped.h5", -1, true) == RunEnd::finished);
  CHECK(test::differences(folder.path() / "whole.h5", folder.path() / "stopped.h5").empty());
  const Archive archive = Archive::open(folder.path() / "whole.h5");
  CHECK(archive.values<double>("/metrics/temperature") == std::vector<double>{0.5, 0.5});
  CHECK_THAT(archive.texts("/strategy_history").at(0), Contains(R"("options": {"relaxation": {"temperature": "0.5"}})"));
}
