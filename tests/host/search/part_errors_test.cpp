#include "host/search/composition.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;

template <class Interface>
Part<Interface> throwing() {
  static const PluginRegistry registry = [] {
    PluginRegistry loaded;
    loaded.load_file(std::filesystem::canonical(MIXOP_TEST_PLUGIN_DIR "/test_sampled.so"));
    return loaded;
  }();
  return make_part<Interface>(registry, "test.throwing", {});
}

TEST_CASE("what a part of a strategy throws names the part and what it was asked", "[search][misuse]") {
  const auto relaxation = throwing<Relaxation>();
  CHECK_THROWS_WITH(relax(*relaxation, std::vector<AlphaSet>(1), {at::zeros({1})}, {}), "relaxation 'test.throwing' (plugin test.sampled): relax: boom");
  CHECK_THROWS_WITH(ask("save", &StrategyPart::save, *relaxation), "relaxation 'test.throwing' (plugin test.sampled): save: boom");
  CHECK_THROWS_WITH(ask("load", &StrategyPart::load, *relaxation, NamedTensors()), "relaxation 'test.throwing' (plugin test.sampled): load: boom");
  CHECK_THROWS_WITH(ask("measured", &StrategyPart::measured, *relaxation),
                    "relaxation 'test.throwing' (plugin test.sampled): measured: an exception that is no std::exception");
  CHECK_THROWS_WITH(ask("term", &Regulariser::term, *throwing<Regulariser>(), std::vector<at::Tensor>(),
                        std::vector<Relaxed>(), SearchPosition()), "regulariser 'test.throwing' (plugin test.sampled): term: boom");
  CHECK_THROWS_WITH(ask("rule", &EdgeRule::rule, *throwing<EdgeRule>()), "edge_rule 'test.throwing' (plugin test.sampled): rule: boom");
  CHECK_THROWS_WITH(ask("reason_to_stop", &Stopper::reason_to_stop, *throwing<Stopper>(), EpochReport()), "stopper 'test.throwing' (plugin test.sampled): reason_to_stop: boom");
  CHECK_THROWS_WITH(searched_genotype(*throwing<Deriver>(), {}, {}, {}), "deriver 'test.throwing' (plugin test.sampled): derive: boom");
}

class Nothing final : public BilevelProblem {
 public:
  const std::vector<at::Tensor>& weights() const override { return none_; }
  const std::vector<at::Tensor>& alphas() const override { return none_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override { return {}; }
  at::Tensor loss(const std::vector<Relaxed>&, const LossPass&) override { return {}; }
  at::Tensor alpha_term(const std::vector<Relaxed>&) override { return {}; }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t) override { return like; }
  WeightStep weight_step() const override { return {}; }

 private:
  std::vector<at::Tensor> none_;
  std::vector<std::size_t> tied_;
};

TEST_CASE("what a hypergradient throws names it and the gradients", "[search][misuse]") {
  Nothing problem;
  CHECK_THROWS_WITH(ask("alpha_gradients", &Hypergradient::alpha_gradients, *throwing<Hypergradient>(), problem),
                    "hypergradient 'test.throwing' (plugin test.sampled): alpha_gradients: boom");
  CHECK_THROWS_WITH(ask("weight_gradients", &Hypergradient::weight_gradients, *throwing<Hypergradient>(), problem),
                    "hypergradient 'test.throwing' (plugin test.sampled): weight_gradients: boom");
}

TEST_CASE("a part is not blamed for another, nor for what it says to the user", "[search][misuse]") {
  const auto thrown = [](const auto& error) {
    return [&error] { naming("stopper 'acme.x'", "reason_to_stop", [&]() -> int { throw error; }); };
  };
  CHECK_THROWS_WITH(thrown(PartError(ErrorCode::failed, "operator 'acme.y': forward: boom"))(),
                    "operator 'acme.y': forward: boom");
  CHECK_THROWS_WITH(thrown(Error(ErrorCode::usage, "acme.x.limit: expected a number"))(),
                    "acme.x.limit: expected a number");
  CHECK_THROWS_WITH(thrown(Error(ErrorCode::unsupported, "no GPU"))(), "stopper 'acme.x': reason_to_stop: no GPU");
  try {
    thrown(Error(ErrorCode::unsupported, "no GPU"))();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
  }
}

}  // namespace
