#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/relaxed.hpp"

// A tensor on the meta device has no numbers: what reads one of them fails.

namespace {

using namespace mixop;
using Tensors = std::vector<at::Tensor>;

at::Tensor nothing(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions(at::kMeta).dtype(at::kFloat));
}

class WithoutNumbers final : public BilevelProblem {
 public:
  WithoutNumbers() {
    for (const Tensors* leaves : {&weights_, &alphas_})
      for (const at::Tensor& leaf : *leaves) leaf.set_requires_grad(true);
  }
  const Tensors& weights() const override { return weights_; }
  const Tensors& alphas() const override { return alphas_; }
  const std::vector<std::size_t>& tied_weights() const override { return tied_; }
  std::vector<Relaxed> edge_weights(Wrt) override { return test::as_relaxed({at::sigmoid(alphas_[0])}); }
  at::Tensor loss(const std::vector<Relaxed>& edges, const LossPass&) override {
    return (edges[0].weights.sum() * weights_[0].square().sum() + weights_[1].square().sum()).tanh();
  }
  at::Tensor alpha_term(const std::vector<Relaxed>& edges) override { return edges[0].weights.square().sum(); }
  at::Tensor uniform(const at::Tensor& like, std::uint64_t) override { return at::rand_like(like); }
  WeightStep weight_step() const override { return {0.1, 0.9, 3e-4, 5, {nothing({6}), nothing({2, 3})}}; }

 private:
  Tensors weights_{nothing({6}), nothing({2, 3})}, alphas_{nothing({3, 5, 4})};
  std::vector<std::size_t> tied_{1};
};

}  // namespace

TEST_CASE("no hypergradient reads a number in a step", "[strategy]") {
  const std::map<std::string, std::vector<std::map<std::string, std::string>>> parts{
      {"first_order", {{}}},
      {"second_order", {{}, {{"clip", "true"}}, {{"clip", "true"}, {"uncapped", "true"}, {"stale_tied", "true"}}}},
      {"neumann", {{}, {{"gamma", "0.1"}, {"terms", "0"}}}},
      {"frozen", {{}}},
      {"ddarts", {{}, {{"mode", "published-code"}}, {{"zero_one", "tri"}, {"ablation_weight", "0"}}}}};
  for (const auto& [name, variants] : parts) {
    for (const auto& options : variants) {
      INFO(name);
      WithoutNumbers problem;
      const auto part = make_part<Hypergradient>(test::plugins(), name, {{name, options}});
      const Tensors alphas = part->alpha_gradients(problem), weights = part->weight_gradients(problem);
      REQUIRE(alphas.size() == (name == "frozen" ? 0 : 1));
      for (const at::Tensor& gradient : alphas) {
        CHECK(gradient.sizes() == problem.alphas()[0].sizes());
        CHECK(gradient.is_meta());
      }
      REQUIRE(weights.size() == 2);
      CHECK(weights[1].sizes() == problem.weights()[1].sizes());
    }
  }
}
