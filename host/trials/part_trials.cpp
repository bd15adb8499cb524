#include "host/trials/part_trials.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>

#include "host/genotype/genotype_json.hpp"
#include "host/search/composition.hpp"
#include "host/text/text.hpp"
#include "host/trials/trial_problem.hpp"
#include "mixop/cells.hpp"
#include "mixop/gradients.hpp"

namespace mixop {
namespace {

using Tensors = std::vector<at::Tensor>;

constexpr std::int64_t kEpochs = 6;
constexpr double kStep = 1e-6, kTolerance = 1e-5;  // of central differences, as in trials of operators

[[noreturn]] void fail(const std::string& detail) { throw Error(ErrorCode::plugin, detail); }

std::string sizes_of(const at::Tensor& tensor) { return tensor.defined() ? c10::str(tensor.sizes()) : "none"; }

/// The sets of a small search: two kinds of cells that share alphas, or cells with alphas of their own.
std::vector<SearchedSet> trial_sets(bool per_cell) {
  const std::vector<std::string> operations{"none", "max_pool_3x3", "skip_connect", "sep_conv_3x3"};
  std::vector<SearchedSet> sets;
  for (const char* kind : {"normal", "reduce"}) {
    SearchedSet searched;
    searched.set.name = per_cell ? "alphas" : std::string("alphas_") + kind;
    searched.set.topology = dense_cell(per_cell ? "cell" : kind, 2, 3, operations);
    searched.set.per_cell = per_cell;
    searched.set.cells = {0, 1, 2};
    if (per_cell) searched.set.reductions = std::vector<int>{1};
    const auto shape = searched.set.shape();
    const auto numbers = static_cast<std::size_t>(at::prod(at::tensor(shape)).item<std::int64_t>());
    for (std::size_t k = 0; k < numbers; ++k) {
      searched.multiply_adds.push_back(k % 4 == 3 ? 1000 : 0);
      searched.parameters.push_back(k % 4 == 3 ? 100 : 0);
    }
    sets.push_back(std::move(searched));
    if (per_cell) break;
  }
  return sets;
}

std::vector<AlphaSet> sets_of(const std::vector<SearchedSet>& searched) {
  std::vector<AlphaSet> sets;
  for (const SearchedSet& one : searched) sets.push_back(one.set);
  return sets;
}

/// d value / d leaf by autograd against central differences, in a few places.
void require_gradient(const std::function<at::Tensor()>& value, const at::Tensor& leaf, const std::string& of) {
  leaf.set_requires_grad(true);
  const at::Tensor at_point = value();
  if (!at_point.defined()) return;
  const at::Tensor found =
      at_point.requires_grad() ? gradients(at_point, {leaf})[0].contiguous() : at::zeros_like(leaf).contiguous();
  const at::NoGradGuard no_grad;
  const at::Tensor flat = leaf.detach().view(-1);
  for (std::int64_t k = 0; k < flat.numel(); k += std::max<std::int64_t>(flat.numel() / 12, 1)) {
    const double before = flat[k].item<double>();
    flat[k] = before + kStep;
    const double above = value().item<double>();
    flat[k] = before - kStep;
    const double below = value().item<double>();
    flat[k] = before;
    const double expected = (above - below) / (2 * kStep), own = found.view(-1)[k].item<double>();
    if (!(std::abs(own - expected) <= kTolerance * (1 + std::abs(expected)))) {
      std::ostringstream text;
      text << of << ": entry " << k << ": autograd gives " << own << ", finite differences " << expected
           << "; is something detached, rounded or computed without at:: functions?";
      fail(text.str());
    }
  }
}

// --- The slots

at::Tensor trial_alphas(const AlphaSet& set, at::ScalarType type = at::kDouble) {
  at::manual_seed(5);
  return at::randn(set.shape(), at::TensorOptions(type));
}

void require_relaxed(const Relaxed& relaxed, const at::Tensor& alphas) {
  if (!relaxed.weights.defined() || relaxed.weights.sizes() != alphas.sizes())
    fail("expected weights of the alphas' shape " + sizes_of(alphas) + ", found " + sizes_of(relaxed.weights));
  if (relaxed.weights.scalar_type() != alphas.scalar_type())
    fail(std::string("expected weights of the alphas' type ") + at::toString(alphas.scalar_type()) + ", found " +
         at::toString(relaxed.weights.scalar_type()));
  if (!relaxed.active.empty() && relaxed.active.size() != static_cast<std::size_t>(alphas.numel()))
    fail("expected " + std::to_string(alphas.numel()) + " entries in `active`, or none, found " +
         std::to_string(relaxed.active.size()));
}

constexpr Phase kPhases[] = {Phase::train, Phase::evaluate, Phase::derive};

RelaxationContext trial_context(Phase phase, std::int64_t epoch = 2, std::uint64_t key = 3) {
  return {{epoch, kEpochs, 10 * epoch}, phase, key};
}

void try_shapes(const Relaxation& part, const AlphaSet& set) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble})
    for (const Phase phase : kPhases)
      for (const std::int64_t epoch : {std::int64_t{0}, kEpochs - 1}) {
        const at::Tensor alphas = trial_alphas(set, type), before = alphas.clone();
        const Relaxed relaxed = part.relax(alphas, trial_context(phase, epoch));
        require_relaxed(relaxed, alphas);
        if (!relaxed.weights.isfinite().all().item<bool>()) fail("weights are not finite");
        if (!at::equal(alphas, before)) fail("the alphas were changed; compute with copies");
      }
}

void try_draws(const Relaxation& part, const AlphaSet& set) {
  const at::Tensor alphas = trial_alphas(set);
  for (const Phase phase : kPhases)
    if (!at::equal(part.relax(alphas, trial_context(phase)).weights, part.relax(alphas, trial_context(phase)).weights))
      fail("two calls with the same alphas, position and key give other weights; draw from `key` alone (mixop/draws.hpp)");
  for (const Phase phase : {Phase::evaluate, Phase::derive})
    if (!at::equal(part.relax(alphas, trial_context(phase, 2, 3)).weights, part.relax(alphas, trial_context(phase, 2, 4)).weights))
      fail("the key changes the weights of a pass that measures or derives; draw in Phase::train alone");
}

bool draws(const Relaxation& part, const AlphaSet& set) {
  const at::Tensor alphas = trial_alphas(set);
  for (std::uint64_t key = 4; key < 8; ++key)
    if (!at::equal(part.relax(alphas, trial_context(Phase::train, 2, 3)).weights,
                   part.relax(alphas, trial_context(Phase::train, 2, key)).weights))
      return true;
  return false;
}

/// Weights that are drawn may have the gradient of an estimate, so of them it must be finite alone.
void try_relaxed_gradient(const Relaxation& part, const AlphaSet& set) {
  for (const Phase phase : kPhases) {
    const at::Tensor alphas = trial_alphas(set), factor = at::linspace(-1, 2, alphas.numel(), at::kDouble).view(alphas.sizes());
    const auto value = [&] { return (part.relax(alphas, trial_context(phase)).weights * factor).sum(); };
    if (phase == Phase::train && draws(part, set)) {
      alphas.set_requires_grad(true);
      const at::Tensor drawn = value();
      if (!drawn.requires_grad()) fail("drawn weights have no graph to the alphas");
      if (!gradients(drawn, {alphas})[0].isfinite().all().item<bool>()) fail("drawn weights have a gradient that is not finite");
    } else {
      require_gradient(value, alphas, "the sum of the weights times other numbers");
    }
  }
}

void try_dropped(const Relaxation& part, const AlphaSet& set) {
  at::Tensor gone = at::zeros(set.shape(), at::kBool);
  gone.select(-1, 1).fill_(true);
  for (const Phase phase : kPhases) {
    const at::Tensor alphas = trial_alphas(set).requires_grad_(true);
    RelaxationContext how = trial_context(phase);
    how.some_dropped = true;
    const at::Tensor weights =
        part.relax(alphas.masked_fill(gone, -std::numeric_limits<double>::infinity()), how).weights.masked_fill(gone, 0);
    if (!weights.isfinite().all().item<bool>())
      fail("with alphas of -infinity for dropped operations (RelaxationContext::some_dropped) the others' weights are not finite");
    if (weights.requires_grad() && !gradients((weights * at::arange(weights.numel()).view(weights.sizes())).sum(), {alphas})[0].isfinite().all().item<bool>())
      fail("with alphas of -infinity for dropped operations the gradient of the others is not finite");
  }
}

/// Passes that do not draw must not read numbers: a GPU would wait at every step.
void try_without_numbers(const Relaxation& part, const AlphaSet& set) {
  const at::Tensor alphas = at::empty(set.shape(), at::TensorOptions(at::kDouble).device(at::kMeta));
  try {
    require_relaxed(part.relax(alphas, trial_context(Phase::evaluate)), alphas);
  } catch (const std::exception& error) {
    fail("it reads the alphas' values in a pass that measures, for which a GPU would wait: " + first_paragraph(error.what()));
  }
}

void try_term(const Regulariser& part, const std::vector<SearchedSet>& sets) {
  Tensors alphas;
  for (const SearchedSet& one : sets) alphas.push_back(trial_alphas(one.set));
  for (const std::int64_t epoch : {std::int64_t{0}, kEpochs - 1})
    for (const at::Tensor& leaf : alphas) {
      const auto value = [&]() -> at::Tensor {
        std::vector<Relaxed> relaxed;
        for (const at::Tensor& one : alphas) relaxed.push_back({at::softmax(one, -1)});
        const at::Tensor term = part.term(alphas, relaxed, {epoch, kEpochs, 10 * epoch});
        if (!term.defined()) return term;
        if (term.dim() != 0) fail("expected a number without dimensions or an undefined tensor, found the shape " + sizes_of(term));
        if (!term.isfinite().item<bool>()) fail("the term is not finite");
        return term;
      };
      require_gradient(value, leaf, "the term");
    }
}

Tensors copies(const Tensors& tensors) {
  Tensors all;
  for (const at::Tensor& tensor : tensors) all.push_back(tensor.detach().clone());
  return all;
}

void require_like(const Tensors& found, const Tensors& expected, const std::string& what) {
  if (found.size() != expected.size())
    fail("expected " + std::to_string(expected.size()) + " " + what + ", found " + std::to_string(found.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i].defined() || found[i].sizes() != expected[i].sizes())
      fail("expected " + what + " of the shape " + sizes_of(expected[i]) + ", found " + sizes_of(found[i]));
    if (!found[i].isfinite().all().item<bool>()) fail(what + " are not finite");
  }
}

void try_gradients(Hypergradient& part, const std::vector<AlphaSet>& sets) {
  TrialProblem problem(sets);
  const Tensors weights = copies(problem.weights()), alphas = copies(problem.alphas());
  const Tensors own = part.alpha_gradients(problem);
  if (!own.empty()) require_like(own, alphas, "gradients of the alphas");
  for (const auto& [before, now] : {std::pair{&weights, &problem.weights()}, {&alphas, &problem.alphas()}})
    for (std::size_t i = 0; i < before->size(); ++i)
      if (!at::equal((*before)[i], (*now)[i].detach())) fail("alpha_gradients() leaves weights or alphas with other values");
  const int before = problem.weight_losses();
  require_like(part.weight_gradients(problem), weights, "gradients of the weights");
  if (problem.weight_losses() != before + 1)
    fail("weight_gradients() takes weight_loss() " + std::to_string(problem.weight_losses() - before) + " times; expected once");
}

void try_smoothed(Smoothing& part, const std::vector<AlphaSet>& sets) {
  TrialProblem problem(sets);
  Tensors before;
  const std::vector<Relaxed> edge_weights = problem.edge_weights(Wrt::alphas);
  for (const Relaxed& set : edge_weights) before.push_back(set.weights.detach().clone());
  const int losses = problem.weight_losses();
  const std::vector<Relaxed> smoothed = part.smoothed(problem, edge_weights, {2, kEpochs, 20});
  Tensors own;
  for (const Relaxed& set : smoothed) own.push_back(set.weights);
  require_like(own, before, "edge weights");
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!at::equal(edge_weights[i].weights.detach(), before[i])) fail("the edge weights that it was given are changed");
    if (!own[i].requires_grad()) fail("its edge weights have lost their graph; add what has none to the old ones");
  }
  if (problem.weight_losses() != losses) fail("its losses update running statistics");
}

void try_rule(const EdgeRule& part) {
  const EdgeRuleData rule = part.rule();
  if (rule.channel_divisor < 1) fail("expected a divisor of channels from 1 on, found " + std::to_string(rule.channel_divisor));
  if (rule != part.rule()) fail("two calls of rule() give other rules");
}

/// What parts see after an epoch of a search on these sets.
class TrialEnds {
 public:
  explicit TrialEnds(std::vector<AlphaSet> sets) : sets_(std::move(sets)), problem_(sets_) {}
  EpochReport at(std::int64_t epoch, const Schedule* schedule = nullptr) {
    relaxed_.clear();
    at::manual_seed(static_cast<std::uint64_t>(epoch));
    for (const AlphaSet& set : sets_) relaxed_.push_back(at::randn(set.shape()).softmax(-1));
    EpochReport end;
    end.at = {epoch, kEpochs, 10 * epoch};
    end.train_loss = 2.0 / static_cast<double>(epoch);
    end.valid_loss = 2.5 / static_cast<double>(epoch);
    end.alphas = &sets_;
    end.relaxed = &relaxed_;
    end.problem = [this]() -> BilevelProblem& { return problem_; };
    end.key = static_cast<std::uint64_t>(epoch);
    end.edge_weights = [this, schedule, epoch] {
      std::vector<Relaxed> all;
      for (const at::Tensor& one : relaxed_) all.push_back({one.clone()});
      if (schedule != nullptr) drop(dropped_of(schedule->plan({epoch, kEpochs, 10 * epoch}), sets_), all);
      return all;
    };
    end.measure = [](const std::vector<Relaxed>& edge_weights) {
      double sum = 0;
      for (const Relaxed& one : edge_weights) sum += (one.weights * at::linspace(0, 1, one.weights.numel()).view(one.weights.sizes())).sum().item<double>();
      return NetworkScore{-sum, sum};
    };
    genotype_.cells.clear();
    for (const NamedCell& cell : named_cells(sets_))
      genotype_.cells.push_back({cell.name, {{"skip_connect", 0, 2}, {"sep_conv_3x3", 1, 2}}, cell.topology->concat, 2});
    end.genotype = end.before = &genotype_;
    return end;
  }

 private:
  std::vector<AlphaSet> sets_;
  TrialProblem problem_;
  Tensors relaxed_;
  Genotype genotype_;
};

void require_same(const NamedTensors& a, const NamedTensors& b) {
  const auto listed = [](const NamedTensors& state) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : state) names.push_back(name);
    return names.empty() ? std::string("none") : joined(names);
  };
  if (listed(a) != listed(b)) fail("another part that has loaded its state saves " + listed(b) + ", not " + listed(a));
  for (const auto& [name, tensor] : a)
    if (!at::equal(tensor, b.at(name))) fail("'" + name + "' of its state is another one once it was loaded and saved");
}

template <class Interface>
using Make = std::function<Part<Interface>()>;

/// After every epoch a new part goes on from the state, and must plan alike.
void try_schedule(const Make<Schedule>& make, const std::vector<AlphaSet>& sets) {
  TrialEnds ends(sets);
  const Part<Schedule> part = make();
  for (std::int64_t epoch = 0; epoch <= kEpochs; ++epoch) {
    if (epoch > 0) part->decide(ends.at(epoch, part.get()));
    const Part<Schedule> other = make();
    other->load(part->save());
    require_same(part->save(), other->save());
    const SearchPosition at{std::min(epoch, kEpochs - 1), kEpochs, 0};
    const EpochPlan own = part->plan(at), again = other->plan(at);
    const DroppedOperations dropped = dropped_of(own, sets), also = dropped_of(again, sets);
    bool alike = own.added == again.added && own.stage == again.stage && dropped.size() == also.size();
    for (std::size_t i = 0; alike && i < dropped.size(); ++i)
      alike = dropped[i].defined() == also[i].defined() && (!dropped[i].defined() || at::equal(dropped[i], also[i]));
    if (!alike)
      fail("a part that has loaded its state plans otherwise after epoch " + std::to_string(epoch) +
           "; save() all that plan() depends on");
    for (const auto& [name, value] : own.added)
      if (!std::isfinite(value)) fail("what is added to '" + name + "' is not finite");
  }
}

/// After every epoch a new part goes on from the state, and must judge alike.
void try_stopper(const Make<Stopper>& make, const std::vector<AlphaSet>& sets) {
  TrialEnds ends(sets), again(sets);
  const Part<Stopper> part = make();
  for (std::int64_t epoch = 1; epoch <= kEpochs; ++epoch) {
    const Part<Stopper> other = make();
    other->load(part->save());
    if (part->reason_to_stop(ends.at(epoch)) != other->reason_to_stop(again.at(epoch)))
      fail("a part that has loaded its state judges epoch " + std::to_string(epoch) +
           " otherwise; save() all that it looks back on");
    for (const auto& [name, value] : part->measured())
      if (!std::isfinite(value))
        fail("it measures '" + name + "' as " + std::to_string(value) + "; expected a finite number");
    require_same(part->save(), other->save());
  }
}

void try_deriver(const Deriver& part, const std::vector<AlphaSet>& sets) {
  TrialEnds ends(sets);
  for (std::int64_t epoch = 1; epoch <= kEpochs; ++epoch) {
    const Tensors relaxed = *ends.at(epoch).relaxed;
    const Genotype genotype = part.derive(sets, relaxed);
    if (!(genotype == part.derive(sets, relaxed))) fail("two calls on the same weights derive other genotypes");
    const std::vector<NamedCell> cells = named_cells(sets);
    if (genotype.cells.size() != cells.size())
      fail("expected a genotype of " + std::to_string(cells.size()) + " cells, found " + std::to_string(genotype.cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i)
      for (const Gene& gene : genotype.cells[i].genes) {
        const std::vector<CellTopology::Edge>& edges = cells[i].topology->edges;
        const std::vector<std::string>& operations = cells[i].topology->operations;
        if (std::find(edges.begin(), edges.end(), CellTopology::Edge{gene.from, gene.to}) == edges.end() ||
            std::find(operations.begin(), operations.end(), gene.operation) == operations.end())
          fail("its genotype has '" + gene.operation + "' from " + std::to_string(gene.from) + " to " + std::to_string(gene.to) +
               ", which is no candidate of an edge");
      }
    require_readable(genotype);
  }
}

// --- All slots

class PartTrials {
 public:
  PartTrials(const PluginRegistry& registry, const StrategySlot& slot, const std::string& name, const TrialSink& report)
      : registry_(registry), slot_(slot), name_(name), report_(report) {}

  void run() {
    for (const bool per_cell : {false, true}) {
      sets_ = trial_sets(per_cell);
      suffix_ = per_cell ? ", cells with alphas of their own" : "";
      if (begins()) of_slot();
    }
  }

 private:
  template <class Interface>
  Part<Interface> made() const {
    Part<Interface> part = make_part<Interface>(registry_, name_, ComponentOptions{});
    part->begin(sets_);
    return part;
  }

  /// A part may refuse the trial's search, by a usage error: then there is nothing more to try.
  bool begins() {
    bool usable = true;
    trial("begins", [&] {
      Part<StrategyPart> part = make_part(registry_, slot_, with_options(registry_, slot_, {name_}, {}));
      try {
        part->begin(sets_);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::usage) throw;
        usable = false;
        return;
      }
      Part<StrategyPart> other = make_part(registry_, slot_, with_options(registry_, slot_, {name_}, {}));
      other->begin(sets_);
      other->load(part->save());
      require_same(part->save(), other->save());
    });
    return usable;
  }

  void of_slot() {
    const std::vector<AlphaSet> sets = sets_of(sets_);
    const AlphaSet& set = sets.front();
    if (slot_.name == Relaxation::slot.name) {
      trial("shapes and types", [&] { try_shapes(*made<Relaxation>(), set); });
      trial("draws", [&] { try_draws(*made<Relaxation>(), set); });
      trial("gradient of the alphas", [&] { try_relaxed_gradient(*made<Relaxation>(), set); });
      trial("dropped operations", [&] { try_dropped(*made<Relaxation>(), set); });
      trial("without reading numbers", [&] { try_without_numbers(*made<Relaxation>(), set); });
    } else if (slot_.name == Hypergradient::slot.name) {
      trial("gradients", [&] { try_gradients(*made<Hypergradient>(), sets); });
    } else if (slot_.name == Regulariser::slot.name) {
      trial("term and its gradient", [&] { try_term(*made<Regulariser>(), sets_); });
    } else if (slot_.name == Smoothing::slot.name) {
      trial("edge weights", [&] { try_smoothed(*made<Smoothing>(), sets); });
    } else if (slot_.name == EdgeRule::slot.name) {
      trial("rule", [&] { try_rule(*made<EdgeRule>()); });
    } else if (slot_.name == Schedule::slot.name) {
      trial("plans and state", [&] { try_schedule([this] { return made<Schedule>(); }, sets); });
    } else if (slot_.name == Stopper::slot.name) {
      trial("reasons and state", [&] { try_stopper([this] { return made<Stopper>(); }, sets); });
    } else if (slot_.name == Deriver::slot.name) {
      trial("genotypes", [&] { try_deriver(*made<Deriver>(), sets); });
    }
  }

  void trial(const std::string& what, const std::function<void()>& body) {
    Trial trial{name_, what + suffix_, true, ""};
    try {
      body();
    } catch (const std::exception& error) {
      trial.passed = false;
      trial.detail = first_paragraph(error.what());
    }
    report_(trial);
  }

  const PluginRegistry& registry_;
  const StrategySlot& slot_;
  const std::string& name_;
  const TrialSink& report_;
  std::vector<SearchedSet> sets_;
  std::string suffix_;
};

}  // namespace

void try_part(const PluginRegistry& registry, const StrategySlot& slot, const std::string& name, const TrialSink& report) {
  PartTrials(registry, slot, name, report).run();
}

}  // namespace mixop
