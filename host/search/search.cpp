#include "host/search/search.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

#include "host/graph/check.hpp"
#include "host/graph/edge_rule.hpp"
#include "host/loop/device.hpp"
#include "host/search/baseline.hpp"
#include "host/search/bilevel_step.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kStepKeys = 4;  // beside the streams of the data

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach().to(at::kCPU).clone());
  return result;
}

std::vector<at::Tensor> initial_alphas(const std::vector<AlphaSet>& sets, double scale, at::ScalarType type,
                                       at::Device device) {
  std::vector<at::Tensor> alphas;
  for (const AlphaSet& set : sets) {
    at::Tensor alpha = at::randn(set.shape()).mul_(scale);
    if (!set.start.empty()) alpha = alpha + at::tensor(set.start, at::kFloat).view(set.shape());
    alphas.push_back(alpha.to(device, type));
  }
  return alphas;
}

/// Adds what parts have measured, under names that are free.
void add_measured(Metrics& metrics, const std::map<std::string, double>& measured) {
  for (const auto& [name, value] : measured)
    if (!metrics.emplace(name, value).second)
      throw Error(ErrorCode::plugin, "a part of the strategy measures '" + name +
                                         "', which every search does; the plugin must give it another name");
}

}  // namespace

SpaceConfig space_config(const SpaceKeys& keys, const DatasetInfo& data, const SearchSpace& space) {
  SpaceConfig config = alphas_config(keys, space);
  config.input = {data.channels, data.height, data.width};
  config.classes = data.classes;
  return config;
}

SpaceConfig alphas_config(const SpaceKeys& keys, const SearchSpace& space) {
  SpaceConfig config;
  static_cast<SpaceSizes&>(config) = keys;
  set_baseline(config, keys.baseline, space, keys.name);
  return config;
}

MeasuredNetwork measured_supernet(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
                                  const DatasetInfo& info) {
  const auto space = make_space(plugins, config.space.name, options, task_of(info.kind));
  const auto rule = make_part<EdgeRule>(plugins, parts_of(plugins, strategies_of(config).in(0), options));
  return measure(with_rule(space->search(space_config(config.space, info, *space)), rule_of(*rule)),
                 RegistryCatalog(plugins));
}

Search::Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
               const DatasetInfo& info, const DatasetHandle* data)
    : plugins_(plugins),
      config_(config),
      info_(info),
      task_(task_of(info.kind)),
      device_(device_of(config.device)),
      type_(config.precision == "float64" ? at::kDouble : at::kFloat),
      operators_(plugins),
      schedule_(strategies_of(config)),
      options_(options),
      strategy_(std::make_unique<Composition>(plugins, parts_of(plugins, schedule_.in(0), options))),
      space_(make_space(plugins, config.space.name, options, task_)),
      data_(data != nullptr ? task_.open_search_data(*data, config, type_, device_) : nullptr) {
  if (config.precision == "bfloat16")
    throw Error(ErrorCode::usage,
                "precision: bfloat16 is for trainings of images; set precision=float32 or float64 for a search");
  use_threads(config.threads);
  if (device_.is_cuda()) at::globalContext().setDeterministicCuDNN(true);
  at::manual_seed(static_cast<std::uint64_t>(config.seed));
  network_ = compile(
      with_rule(space_->search(space_config(config.space, info, *space_)), rule_of(strategy_->part<EdgeRule>())),
      operators_, {device_, type_}, execution_named(config.execution));
  const std::vector<SearchedSet> sets = searched_sets(network_->graph(), operators_);
  strategy_->begin(sets);
  alphas_ = initial_alphas(network_->alphas(), config.space.alpha_init, type_, device_);
  weight_optimizer_ = std::make_unique<Sgd>(parameters_of(*network_), config.weights.momentum, config.weights.decay);
  alpha_optimizer_ = std::make_unique<Adam>(
      alphas_, std::array<double, 2>{config.alphas.betas[0], config.alphas.betas[1]}, config.alphas.decay);
  problem_ = std::make_unique<SearchProblem>(*network_, alphas_, *strategy_, *weight_optimizer_);
  position().at.epochs = config.search.epochs;
  history_.strategies.push_back({0, 0, schedule_.in(0).strategy, strategy_->choices()});
  for (const std::int64_t epoch : schedule_.epochs()) {
    Composition scheduled(plugins, parts_of(plugins, schedule_.in(epoch), options));
    scheduled.begin(sets);
    require_exchange(scheduled.choices());
  }
  record_row();
}

void Search::require_exchange(const PartChoices& parts) const {
  const std::string rule(EdgeRule::slot.name);
  if (rule_of(*make_part<EdgeRule>(plugins_, parts)) != rule_of(strategy_->part<EdgeRule>()))
    throw Error(ErrorCode::usage, "strategy." + rule + "=" + parts.at(rule).part +
                                      " needs a network of other channels or edges than that of the search; start a new one");
}

void Search::require_possible(const StrategyChange& change) const {
  (void)plugins_.strategy(change.strategy);
  (void)Composition(plugins_, change.parts);
  require_exchange(change.parts);
}

void Search::follow(std::vector<StrategyChange> changes) {
  require_exchange(changes.back().parts);
  strategy_->exchange(plugins_, changes.back().parts);
  history_.strategies = std::move(changes);
}

void Search::exchange(const std::string& strategy, const PartChoices& parts) {
  const StrategyChange& now = history_.strategies.back();
  if (now.strategy == strategy && now.parts == parts) return;
  require_exchange(parts);
  strategy_->exchange(plugins_, parts);
  history_.strategies.push_back({position().at.step, position().at.epoch, strategy, parts});
}

void Search::follow_schedule() {
  const std::int64_t epoch = position().at.epoch;
  if (epoch == 0) return;
  const StrategyNames before = schedule_.in(epoch - 1), now = schedule_.in(epoch);
  if (before == now) return;
  const PartChoices old = parts_of(plugins_, before, options_), scheduled = parts_of(plugins_, now, options_);
  PartChoices parts = strategy_->choices();
  for (auto& [slot, choice] : parts)
    if (old.at(slot) != scheduled.at(slot)) choice = scheduled.at(slot);
  exchange(before.strategy == now.strategy ? history_.strategies.back().strategy : now.strategy, parts);
}

std::vector<at::Tensor> Search::relaxed(const std::vector<at::Tensor>& alphas) const {
  return relaxed_for_derivation(strategy_->part<Relaxation>(), network_->alphas(), alphas,
                                derived_at(position().at.epoch, position().at.epochs));
}

Genotype Search::derive(const std::vector<at::Tensor>& alphas) const {
  return searched_genotype(strategy_->part<Deriver>(), network_->alphas(), relaxed(alphas),
                           unused_alphas(network_->graph()));
}

Batch Search::drawn_batch(std::int64_t samples) const {
  return task_.drawn_batch({info_.channels, info_.height, info_.width}, config_.data.bptt, samples, type_, device_);
}

void Search::record_row() {
  history_.alphas.push_back(copies(alphas_));
  history_.genotypes.push_back(derive(alphas_));
}

std::uint64_t Search::step_key() const {
  return key_of({static_cast<std::uint64_t>(config_.seed), kStepKeys, static_cast<std::uint64_t>(position().at.step)});
}

std::vector<at::Tensor> Search::state() const {
  std::vector<at::Tensor> state = alphas_;
  for (const StateEntry& entry : network_->state()) state.push_back(entry.tensor);
  return state;
}

double Search::epoch_rate() const {
  return cosine_rate(config_.weights.lr, config_.weights.lr_min, position().at.epoch, position().at.epochs);
}

double Search::alpha_rate() const {
  const AlphasConfig& keys = config_.alphas;
  return keys.schedule == "cosine" ? cosine_rate(keys.lr, keys.lr_min, position().at.epoch, position().at.epochs)
                                   : keys.lr;
}

EpochLoop::Step Search::step() {
  const LoopPosition& here = position();
  if (here.step_in_epoch == 0) {
    problem_->states() = {};
    follow_schedule();
  }
  if (before_step_) before_step_();
  StepData data = data_->at(here.at.epoch, here.step_in_epoch, here.at.step);
  return take(std::move(data), epoch_rate() * data.rate_scale);
}

EpochLoop::Step Search::take(StepData data, double rate) {
  const LoopPosition& here = position();
  problem_->set_step({std::move(data.train), std::move(data.valid), here.at, step_key(), rate, config_.weights.clip});

  take_bilevel_step(*problem_, *strategy_, *alpha_optimizer_, *weight_optimizer_, {rate, alpha_rate(), alphas_move()});
  return {problem_->train_value(), problem_->train_penalty(), problem_->train_output(), problem_->train_target()};
}

BilevelProblem& Search::problem_at(std::int64_t epoch) {
  SearchPosition at = position().at;
  at.epoch = epoch;
  at.step -= data_->steps_in(epoch);
  StepData data = data_->at(epoch, /*step_in_epoch=*/0, at.step);
  problem_->set_step({std::move(data.train), std::move(data.valid), at, step_key(), epoch_rate(), config_.weights.clip});
  return *problem_;
}

Metrics Search::measure(const std::atomic<int>& interrupt) {
  EpochSums valid;
  RecurrentState state;
  data_->for_each_valid([&](const Batch& batch) {
    if (interrupt.load() != 0) return false;
    const Outcome outcome = problem_->evaluate(batch, state, position().at, step_key());
    state = outcome.next;
    valid.add(outcome.loss.item<double>(), outcome.output, batch.target);
    return true;
  });
  if (interrupt.load() != 0) return {};
  Metrics metrics = task_.means(valid, "valid");
  require_finite("the validation loss is", std::isfinite(metrics["valid_loss"]));
  metrics["learning_rate"] = epoch_rate();
  return metrics;
}

void Search::end_epoch(Metrics& metrics, RunObserver&) {
  const bool moved = position().at.epoch > config_.search.pretrain_epochs;  // in the epoch that has ended
  problem_->states() = {};
  record_row();
  const auto& genotypes = history_.genotypes;
  const std::vector<at::Tensor> weights = relaxed(alphas_);
  const EpochReport report{position().at,
                           metrics.at("train_loss"),
                           metrics.at("valid_loss"),
                           &genotypes.back(),
                           &genotypes[genotypes.size() - 2],
                           moved,
                           &network_->alphas(),
                           &weights,
                           [this]() -> BilevelProblem& { return problem_at(position().at.epoch - 1); }};
  history_.stop_reason = ask("reason_to_stop", &Stopper::reason_to_stop, strategy_->part<Stopper>(), report);
  add_measured(metrics, strategy_->measured());
}

}  // namespace mixop
