#include "host/trials/space_trials.hpp"

#include <algorithm>

#include "host/plugins/search_path.hpp"
#include "mixop/space.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

std::vector<Trial> trials(const PluginRegistry& plugins, const std::string& name) {
  std::vector<Trial> all;
  try_space(plugins, name, [&](const Trial& trial) { all.push_back(trial); });
  return all;
}

/// The first trial that a wrong space fails, and what it says.
std::string failure(const std::string& name) {
  static const PluginRegistry registry = [] {
    PluginRegistry made;
    made.load_file(MIXOP_TEST_PLUGIN_DIR "/test_wrong_spaces.so");
    made.load_folder(installed_plugin_folder());
    return made;
  }();
  const std::vector<Trial> all = trials(registry, "test." + name);
  const auto first = std::find_if(all.begin(), all.end(), [](const Trial& trial) { return !trial.passed; });
  return first == all.end() ? "all passed" : first->name + ": " + first->detail;
}

TEST_CASE("the recurrent space and that of NAS-Bench-201 pass their trials", "[trials][spaces]") {
  for (const char* name : {"darts_rnn", "nasbench201"})
    for (const Trial& trial : trials(test::plugins(), name)) {
      INFO(name << ": " << trial.name << ": " << trial.detail);
      CHECK(trial.passed);
    }
}

TEST_CASE("all spaces that mixop brings pass their trials", "[trials][spaces][long]") {
  for (const std::string& name : test::plugins().names(SearchSpace::interface_id))
    for (const Trial& trial : trials(test::plugins(), name)) {
      INFO(name << ": " << trial.name << ": " << trial.detail);
      CHECK(trial.passed);
    }
}

TEST_CASE("a space that breaks a rule is told which, and what to change", "[trials][spaces][misuse]") {
  CHECK(failure("none") == "all passed");
  CHECK(failure("silent") == "describes a search: its summary is empty; expected one sentence with its source");
  CHECK_THAT(failure("shapes"), Catch::StartsWith("describes a search: the network of a search: "));
  CHECK(failure("unread_alphas") == "alphas are read: no choice reads the alphas others; leave them out, or use them");
  CHECK(failure("unread_weights") ==
        "weights learn: the weight 'aside.0.weight' has no gradient in a pass where all operations take part: nothing that is "
        "classified reads it; connect it, or say that its edge does not run (Edge::runs)");
  CHECK(failure("foreign_operation") ==
        "alphas are read: the alphas 'alphas' have the operation 'dil_conv_3x3', which space.ops does not name");
  CHECK_THAT(failure("genotype"), Catch::StartsWith("a hundred drawn genotypes: genotype ") &&
                                      Catch::Contains(" of those drawn: no convolutions here"));
  CHECK_THAT(failure("text"), Catch::StartsWith("a hundred drawn genotypes: genotype 0 of those drawn: read_text() gives another "
                                                "genotype than print_text() wrote: <"));
}

}  // namespace
