// Relaxations that draw, and the strategies that are made of them: GDAS, SNAS, DrNAS, random search with shared
// weights.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gamma_draws.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

namespace mixop::strategies {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();  // the alpha of a dropped operation

/// A temperature that goes in a line from the first epoch to the last one.
class Annealing {
 public:
  Annealing(const Options& options, const std::string& part)
      : start_(options.real("temperature")), end_(options.real("end")) {
    for (const char* name : {"temperature", "end"})
      if (const double value = options.real(name); !(value > 0) || std::isinf(value))
        throw Error(ErrorCode::usage, part + "." + name + ": expected a number above 0, found " + options.text(name));
  }
  double at(const SearchPosition& position) const {
    const auto last = static_cast<double>(std::max<std::int64_t>(position.epochs - 1, 1));
    return start_ + (end_ - start_) * std::min(static_cast<double>(position.epoch) / last, 1.0);
  }

 private:
  double start_, end_;
};

/// softmax((log softmax(alpha) + g) / temperature) with Gumbel noise g. The noise is made in double precision: a
/// uniform number that rounds to 1 would be infinite.
at::Tensor perturbed_softmax(const at::Tensor& alphas, std::uint64_t key, double temperature) {
  const at::Tensor uniform = uniform_numbers(alphas.sizes(), key, at::empty({0}, alphas.options().dtype(at::kDouble)));
  const at::Tensor noise = -(-uniform.log()).log();
  return at::softmax((at::log_softmax(alphas, -1) + noise.to(alphas.scalar_type())) / temperature, -1);
}

at::Tensor one_hot(const at::Tensor& indices, const at::Tensor& like) {
  return at::zeros_like(like, like.options().requires_grad(false)).scatter_(-1, indices, 1);
}

/// GDAS (Dong and Yang, CVPR 2019, equations 3 to 6): one operation an edge is drawn and computed, with the gradient of
/// the softmax that it was drawn from. The temperature is that of the published program.
class Gumbel final : public Relaxation {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "temperature", "10", "Temperature of the first epoch, above 0; ..."),
      option(MIXOP_OPTION_REAL, "end", "0.1", "... and of the last one. Between them it goes in a line."),
  };
  explicit Gumbel(const Options& options) : temperature_(options, "gumbel") {}

  Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const override {
    if (how.phase != Phase::train) return {at::softmax(alphas, -1)};
    const at::Tensor soft = perturbed_softmax(alphas, how.key, temperature_.at(how.position));
    const at::Tensor hard = one_hot(soft.detach().argmax(-1, /*keepdim=*/true), soft.detach());
    // Which operations run depends on the alphas, so a GPU waits here.
    const at::Tensor drawn = hard.to(at::kCPU, at::kBool).contiguous();
    const bool* first = drawn.const_data_ptr<bool>();
    return {hard - soft.detach() + soft, std::vector<bool>(first, first + drawn.numel())};
  }

 private:
  Annealing temperature_;
};

/// SNAS (Xie et al., ICLR 2019, equation 3): a soft draw of all operations. The temperatures are those of the published
/// program.
class Concrete final : public Relaxation {
 public:
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_REAL, "temperature", "1", "Temperature of the first epoch, above 0; ..."),
      option(MIXOP_OPTION_REAL, "end", "0.03", "... and of the last one. Between them it goes in a line."),
  };
  explicit Concrete(const Options& options) : temperature_(options, "concrete") {}

  Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const override {
    if (how.phase != Phase::train) return {at::softmax(alphas, -1)};
    return {perturbed_softmax(alphas, how.key, temperature_.at(how.position))};
  }

 private:
  Annealing temperature_;
};

/// DrNAS (Chen et al., ICLR 2021, section 3.2): weights drawn from a Dirichlet distribution of concentration
/// elu(alpha) + 1, as Gamma draws over their sum, with the exact gradient along each draw; their mean without draws.
class Dirichlet final : public Relaxation {
 public:
  explicit Dirichlet(const Options&) {}

  Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const override {
    const at::Tensor gone = alphas.detach().eq(kMinusInfinity);  // dropped: of concentration 0, which has no draws
    const at::Tensor concentration = concentrations(alphas.masked_fill(gone, 0).to(at::kDouble));
    if (how.phase != Phase::train) {
      const at::Tensor rest = concentration.masked_fill(gone, 0);
      return {(rest / rest.sum(-1, /*keepdim=*/true)).to(alphas.scalar_type())};
    }
    const at::Tensor held = concentration.detach();
    at::Tensor draws = log_gamma_draws(held, how.key);
    if (concentration.requires_grad()) draws = draws + (concentration - held) * log_gamma_slopes(held, draws);
    draws = draws.masked_fill(gone, kMinusInfinity);
    return {at::softmax(draws, -1).to(alphas.scalar_type())};
  }

 private:
  /// elu(alpha) + 1 without its loss of digits below 0. Where an alpha is so small that its weight is 0 in every digit,
  /// it is held.
  static at::Tensor concentrations(const at::Tensor& alphas) {
    constexpr double kSmallest = -50;
    const at::Tensor above = alphas.relu(), below = above - alphas;  // of which one is 0
    return above + (kSmallest + (-kSmallest - below).relu()).exp();
  }
};

/// One operation an edge, each as likely as any other, whatever the alphas are; all of them, equally weighted, where a
/// pass measures. Genotypes are read out of the alphas.
class UniformSample final : public Relaxation {
 public:
  explicit UniformSample(const Options&) {}

  Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const override {
    if (how.phase == Phase::derive) return {at::softmax(alphas, -1)};
    const at::Tensor gone = alphas.detach().eq(kMinusInfinity), left = gone.eq(false);
    const at::Tensor count = left.sum(-1, /*keepdim=*/true);
    const at::Tensor none = alphas.masked_fill(gone, 0) * 0;  // for a graph to the alphas
    if (how.phase == Phase::evaluate) return {none + left.to(none.scalar_type()) / count};
    return how.some_dropped ? drawn_of_rest(none, left, count, how.key) : drawn_of_all(none, how.key);
  }

 private:
  /// A GPU waits here for what has been dropped.
  static Relaxed drawn_of_rest(const at::Tensor& none, const at::Tensor& left, const at::Tensor& count,
                               std::uint64_t key) {
    const at::Tensor uniform = uniform_numbers(count.sizes(), key, at::empty({0}, none.options().dtype(at::kDouble)));
    const at::Tensor place = (uniform * count).floor();  // among those that are left
    const at::Tensor drawn = left.logical_and(left.cumsum(-1).eq(place + 1));
    const at::Tensor here = drawn.to(at::kCPU).contiguous();
    const bool* first = here.const_data_ptr<bool>();
    return {none + drawn, std::vector<bool>(first, first + here.numel())};
  }

  /// The same draws twice: on the device, and here, where nothing waits for it.
  static Relaxed drawn_of_all(const at::Tensor& none, std::uint64_t key) {
    const std::int64_t operations = none.size(-1);
    std::vector<std::int64_t> edges = none.sizes().vec();
    edges.back() = 1;
    const at::Tensor uniform = uniform_numbers(edges, key, at::empty({0}, none.options().dtype(at::kDouble)));
    const at::Tensor drawn = (uniform * static_cast<double>(operations)).floor().to(at::kLong);
    std::vector<bool> active(static_cast<std::size_t>(none.numel()));
    RandomStream stream(key);
    for (std::int64_t first = 0; first < none.numel(); first += operations)
      active[static_cast<std::size_t>(first) +
             static_cast<std::size_t>(stream.uniform() * static_cast<double>(operations))] = true;
    return {none + one_hot(drawn, none.detach()), active};
  }
};

/// The alphas stay as they are.
class Frozen final : public Hypergradient {
 public:
  explicit Frozen(const Options&) {}
  std::vector<at::Tensor> alpha_gradients(BilevelProblem&) override { return {}; }
};

constexpr MixopStrategyPart kGdasParts[] = {
    strategy_slot("relaxation", "gumbel"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kGdas =
    strategy_table(kGdasParts, "GDAS (Dong and Yang, CVPR 2019): one operation an edge, drawn by Gumbel's trick.");

constexpr MixopStrategyPart kSnasParts[] = {
    strategy_slot("relaxation", "concrete"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kSnas = strategy_table(
    kSnasParts, "SNAS (Xie et al., ICLR 2019): soft draws; alphas on the validation half, without a cost.");

constexpr MixopStrategyPart kDrnasParts[] = {
    strategy_slot("relaxation", "dirichlet"),
    strategy_slot("hypergradient", "first_order"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kDrnas =
    strategy_table(kDrnasParts, "DrNAS (Chen et al., ICLR 2021): Dirichlet draws; without its progressive stages.");

constexpr MixopStrategyPart kRandomParts[] = {
    strategy_slot("relaxation", "uniform_sample"),
    strategy_slot("hypergradient", "frozen"),
    strategy_slot("deriver", "darts"),
};
constexpr MixopStrategy kRandom = strategy_table(
    kRandomParts,
    "Random search with shared weights (Li and Talwalkar, UAI 2019): uniform draws train the weights; the genotype is "
    "the random one of the alphas' start.");

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN(
    "mixop.strategies.sampling", "0.1.0",
    "Relaxations that draw: Gumbel's trick, concrete and Dirichlet draws, uniform samples.",
    mixop::strategy_part<mixop::strategies::Gumbel>("gumbel",
                                                    "One drawn operation an edge, the gradient of the softmax (GDAS)."),
    mixop::strategy_part<mixop::strategies::Concrete>("concrete",
                                                      "A drawn softmax over the operations of an edge (SNAS)."),
    mixop::strategy_part<mixop::strategies::Dirichlet>("dirichlet",
                                                       "Weights drawn from a Dirichlet distribution (DrNAS)."),
    mixop::strategy_part<mixop::strategies::UniformSample>("uniform_sample",
                                                           "One operation an edge, all equally likely."),
    mixop::strategy_part<mixop::strategies::Frozen>("frozen", "No step of the alphas."),
    mixop::strategy("gdas", mixop::strategies::kGdas), mixop::strategy("snas", mixop::strategies::kSnas),
    mixop::strategy("drnas", mixop::strategies::kDrnas), mixop::strategy("random_ws", mixop::strategies::kRandom));
