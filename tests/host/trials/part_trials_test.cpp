#include "host/trials/part_trials.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

std::vector<Trial> trials(const PluginRegistry& plugins, const std::string& slot, const std::string& name) {
  std::vector<Trial> all;
  try_part(plugins, strategy_slots[slot_index(slot)], name, [&](const Trial& trial) { all.push_back(trial); });
  return all;
}

const PluginRegistry& wrong() {
  static const PluginRegistry registry = [] {
    PluginRegistry made;
    made.load_file(MIXOP_TEST_PLUGIN_DIR "/test_wrong_parts.so");
    return made;
  }();
  return registry;
}

/// The trials that a wrong part fails, with cells that share alphas, and what the first one says.
std::string failure(const std::string& slot, const std::string& name) {
  const std::vector<Trial> all = trials(wrong(), slot, "test." + name);
  const auto first = std::find_if(all.begin(), all.end(), [](const Trial& trial) { return !trial.passed; });
  return first == all.end() ? "all passed" : first->name + ": " + first->detail;
}

TEST_CASE("the parts that mixop brings pass their trials", "[trials][strategy]") {
  for (const StrategySlot& slot : strategy_slots)
    for (const std::string& name : test::plugins().names(slot.interface_id)) {
      const std::vector<Trial> all = trials(test::plugins(), std::string(slot.name), name);
      CHECK(all.size() >= 3);
      for (const Trial& trial : all) {
        INFO(slot.name << " " << name << ": " << trial.name << ": " << trial.detail);
        CHECK(trial.passed);
      }
    }
}

TEST_CASE("a part that breaks a rule of its slot is told which, and what to change", "[trials][strategy][misuse]") {
  CHECK(failure("relaxation", "flat") == "shapes and types: expected weights of the alphas' shape [9, 4], found [36]");
  CHECK(failure("relaxation", "single") == "shapes and types: expected weights of the alphas' type Double, found Float");
  CHECK(failure("relaxation", "in_place") == "shapes and types: the alphas were changed; compute with copies");
  CHECK(failure("relaxation", "global_draws") ==
        "draws: two calls with the same alphas, position and key give other weights; draw from `key` alone (mixop/draws.hpp)");
  CHECK(failure("relaxation", "draws_always") ==
        "draws: the key changes the weights of a pass that measures or derives; draw in Phase::train alone");
  CHECK_THAT(failure("relaxation", "rounded"),
             Catch::Contains("gradient of the alphas: the sum of the weights times other numbers: entry 0: autograd gives") &&
                 Catch::Contains("is something detached, rounded or computed without at:: functions?"));
  CHECK(failure("relaxation", "no_rest") ==
        "dropped operations: with alphas of -infinity for dropped operations the gradient of the others is not finite");
  CHECK_THAT(failure("relaxation", "reads"),
             Catch::StartsWith("without reading numbers: it reads the alphas' values in a pass that measures, for which a GPU would wait: "));
  CHECK(failure("regulariser", "vector") ==
        "term and its gradient: expected a number without dimensions or an undefined tensor, found the shape [1]");
  CHECK_THAT(failure("regulariser", "detached"), Catch::StartsWith("term and its gradient: the term: entry 0: autograd gives"));
  CHECK(failure("hypergradient", "too_few") == "gradients: expected gradients of the alphas of the shape [9, 4], found []");
  CHECK(failure("hypergradient", "moves") == "gradients: alpha_gradients() leaves weights or alphas with other values");
  CHECK(failure("hypergradient", "twice") == "gradients: weight_gradients() takes weight_loss() 2 times; expected once");
  CHECK(failure("smoothing", "cut") == "edge weights: its edge weights have lost their graph; add what has none to the old ones");
  CHECK(failure("edge_rule", "no_channels") == "rule: expected a divisor of channels from 1 on, found 0");
  CHECK(failure("schedule", "forgets") ==
        "plans and state: a part that has loaded its state plans otherwise after epoch 1; save() all that plan() depends on");
  CHECK(failure("stopper", "forgetful") ==
        "reasons and state: a part that has loaded its state judges epoch 3 otherwise; save() all that it looks back on");
  CHECK(failure("stopper", "nothing") == "reasons and state: it measures 'share' as nan; expected a finite number");
  CHECK(failure("stopper", "throws") == "begins: no such set");
  CHECK(failure("stopper", "refuses") == "all passed");
  CHECK(failure("deriver", "invents") ==
        "genotypes: its genotype has 'conv_7x7' from 0 to 2, which is no candidate of an edge");
}

}  // namespace
