#include "host/search/search.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
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

constexpr std::uint64_t kStepKeys = 4, kEpochKeys = 5, kStageKeys = 6;  // beside the streams of the data
constexpr std::int64_t kMostLayers = 1000;                                // as space.layers
constexpr std::chrono::seconds kNoticeEvery{10};

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

/// Whether a schedule makes networks anew between the epochs.
bool makes_networks(const Schedule& schedule, std::int64_t epochs) {
  const std::optional<SearchStage> last = ask("plan", &Schedule::plan, schedule, SearchPosition{epochs - 1, epochs, 0}).stage;
  return last && last->network > 0;
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
  position().at.epochs = config.search.epochs;
  at::manual_seed(static_cast<std::uint64_t>(config.seed));
  make_network(0);
  const std::vector<SearchedSet> sets = searched_sets(network_->graph(), operators_);
  strategy_->begin(sets);
  require_stages(strategy_->part<Schedule>());
  history_.strategies.push_back({0, 0, schedule_.in(0).strategy, strategy_->choices()});
  for (const std::int64_t epoch : schedule_.epochs()) {
    Composition scheduled(plugins, parts_of(plugins, schedule_.in(epoch), options));
    scheduled.begin(sets);
    require_exchange(scheduled.choices());
  }
  record_row();
}

NetworkGraph Search::graph(std::int64_t more_layers) const {
  SpaceKeys keys = config_.space;
  keys.layers += more_layers;
  return with_rule(space_->search(space_config(keys, info_, *space_)), rule_of(strategy_->part<EdgeRule>()));
}

NetworkGraph Search::deeper(std::int64_t more_layers, const std::string& schedule) const {
  try {
    return graph(more_layers);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    throw Error(ErrorCode::usage, schedule + " makes a network of " + std::to_string(more_layers) +
                                      " cells more than space.layers (" + std::to_string(config_.space.layers) + "): " + error.what());
  }
}

MeasuredNetwork Search::measured(std::int64_t more_layers) const { return mixop::measure(graph(more_layers), operators_); }

void Search::make_network(std::int64_t more_layers) {
  const StreamStates states = problem_ ? problem_->states() : StreamStates{};
  problem_.reset();
  network_.reset();
  network_ = compile(graph(more_layers), operators_, {device_, type_}, execution_named(config_.execution));
  more_layers_ = more_layers;
  alphas_ = initial_alphas(network_->alphas(), config_.space.alpha_init, type_, device_);
  weight_optimizer_ = std::make_unique<Sgd>(parameters_of(*network_), config_.weights.momentum, config_.weights.decay);
  alpha_optimizer_ = std::make_unique<Adam>(
      alphas_, std::array<double, 2>{config_.alphas.betas[0], config_.alphas.betas[1]}, config_.alphas.decay);
  problem_ = std::make_unique<SearchProblem>(*network_, alphas_, *strategy_, *weight_optimizer_);
  problem_->states() = states;
}

EpochPlan Search::plan_of(std::int64_t epoch) const {
  SearchPosition at = position().at;
  at.epoch = epoch;
  return ask("plan", &Schedule::plan, strategy_->part<Schedule>(), at);
}

SearchStage Search::stage() const {
  const std::int64_t epochs = position().at.epochs;
  return plan_of(std::min(position().at.epoch, epochs - 1)).stage.value_or(SearchStage{0, epochs, 0, 0, 1});
}

std::int64_t Search::more_layers_of_last_step() const {
  const bool in_epoch = position().step_in_epoch > 0 || position().at.epoch == 0;
  const std::optional<SearchStage> stage = plan_of(position().at.epoch - (in_epoch ? 0 : 1)).stage;
  return stage ? stage->more_layers : 0;
}

void Search::require_stages(const Schedule& schedule) const {
  const std::int64_t epochs = position().at.epochs;
  SearchStage before{0, 0, 0, 0, 1};
  for (std::int64_t epoch = 0; epoch < epochs; epoch = before.end) {
    const std::optional<SearchStage> stage = ask("plan", &Schedule::plan, schedule, SearchPosition{epoch, epochs, 0}).stage;
    if (!stage) {
      if (epoch == 0) return;
      throw Error(ErrorCode::plugin, schedule.called + ": epoch " + std::to_string(epoch) +
                                         " is in no stage, and epochs before it are; the plugin must be fixed");
    }
    const bool anew = stage->network == epoch && epoch > 0;
    const bool sound = stage->first == epoch && stage->end > epoch && stage->end <= epochs &&
                       (anew || (stage->network == before.network && stage->more_layers == before.more_layers)) &&
                       stage->rate > 0 && std::isfinite(stage->rate);
    if (!sound)
      throw Error(ErrorCode::plugin, schedule.called + ": the stage of epoch " + std::to_string(epoch) +
                                         " does not begin there, does not end behind it, has another network that is not made "
                                         "anew or a rate that is not above 0; the plugin must be fixed");
    if (stage->more_layers < 0 || config_.space.layers + stage->more_layers > kMostLayers)
      throw Error(ErrorCode::usage, schedule.called + ": " + std::to_string(stage->more_layers) +
                                        " cells more than space.layers (" + std::to_string(config_.space.layers) +
                                        "): expected from 0 on, and at most " + std::to_string(kMostLayers) + " together");
    if (anew) {
      const std::vector<std::string> unused = unused_alphas(network_->graph());
      if (!unused.empty())
        throw Error(ErrorCode::usage, schedule.called + " goes by the alphas '" + unused.front() + "' from the first stage on, and no cell of " +
                                          "its network reads them; take more space.layers (" +
                                          std::to_string(config_.space.layers) + "), such as 3");
    }
    if (stage->more_layers != before.more_layers) {
      const std::vector<AlphaSet> sets = deeper(stage->more_layers, schedule.called).alphas, &own = network_->alphas();
      for (std::size_t i = 0; i < own.size(); ++i)
        if (i >= sets.size() || sets[i].shape() != own[i].shape())
          throw Error(ErrorCode::usage,
                      schedule.called + " makes the network deeper, and the alphas '" + own[i].name + "' of space.name=" +
                          config_.space.name + " are those of the cells at hand; let it keep the number of cells, or take another space");
    }
    before = *stage;
  }
}

void Search::follow_stages() {
  const std::int64_t epoch = position().at.epoch;
  const std::optional<SearchStage> stage = plan_of(epoch).stage;
  if (epoch == 0 || !stage || stage->first != epoch) return;
  if (stage->network == epoch) {
    at::manual_seed(key_of({static_cast<std::uint64_t>(config_.seed), kStageKeys, static_cast<std::uint64_t>(epoch)}));
    make_network(stage->more_layers);
  } else {
    for (const at::Tensor& momentum : weight_optimizer_->momenta()) momentum.zero_();
  }
}

void Search::require_exchange(const PartChoices& parts) const {
  const std::string rule(EdgeRule::slot.name);
  if (rule_of(*make_part<EdgeRule>(plugins_, parts)) != rule_of(strategy_->part<EdgeRule>()))
    throw Error(ErrorCode::usage, "strategy." + rule + "=" + parts.at(rule).part +
                                      " needs a network of other channels or edges than that of the search; start a new one");
  const std::string schedule(Schedule::slot.name);
  const PartChoice &now = strategy_->choices().at(schedule), &next = parts.at(schedule);
  if (now == next) return;
  const auto made = make_part<Schedule>(plugins_, parts);
  ask("begin", &StrategyPart::begin, *made, searched_sets(network_->graph(), operators_));
  require_stages(*made);
  const auto require_lasting = [&](const Schedule& part, const std::string& name) {
    if (makes_networks(part, position().at.epochs))
      throw Error(ErrorCode::usage, "strategy." + schedule + "=" + name +
                                        " makes networks anew between epochs, so it is in force in all epochs of a search or "
                                        "in none; start a new one");
  };
  require_lasting(strategy_->part<Schedule>(), now.part);
  require_lasting(*made, next.part);
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

std::vector<std::int64_t> Search::later_networks() const {
  std::vector<std::int64_t> epochs;
  for (std::int64_t epoch = position().at.epoch + 1; epoch < position().at.epochs;) {
    const std::optional<SearchStage> stage = plan_of(epoch).stage;
    if (!stage) break;
    if (stage->network == epoch) epochs.push_back(epoch);
    epoch = stage->end;
  }
  return epochs;
}

void Search::try_stage(std::int64_t epoch) {
  const std::vector<at::Tensor> weights = relaxed(alphas_);
  EpochEnd end = end_of(epoch - 1, {{"train_loss", 0}, {"valid_loss", 0}}, weights);
  end.measure = [](const std::vector<Relaxed>&) { return NetworkScore{0, 0}; };
  ask("decide", &Schedule::decide, strategy_->part<Schedule>(), end);
  position().at.epoch = epoch;
  position().step_in_epoch = 0;
  follow_stages();
}

std::vector<at::Tensor> Search::relaxed(const std::vector<at::Tensor>& alphas) const {
  return relaxed_for_derivation(strategy_->part<Relaxation>(), network_->alphas(), alphas,
                                derived_at(position().at.epoch, position().at.epochs),
                                dropped_of(plan_of(position().at.epoch), network_->alphas()));
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
  history_.dropped.push_back(dropped_of(plan_of(position().at.epoch), network_->alphas()));
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
  const SearchStage stage = this->stage();
  const double first = config_.weights.lr * stage.rate, least = config_.weights.lr_min;
  return cosine_rate(first, stage.rate < 1 ? std::min(first, least) : least, position().at.epoch - stage.first,
                     stage.end - stage.first);
}

bool Search::alphas_move(std::int64_t epoch) const {
  const std::optional<SearchStage> stage = plan_of(epoch).stage;
  return epoch - (stage ? stage->network : 0) >= config_.search.pretrain_epochs;
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
    follow_stages();
  }
  if (before_step_) before_step_();
  StepData data = data_->at(here.at.epoch, here.step_in_epoch, here.at.step);
  return take(std::move(data), epoch_rate() * data.rate_scale);
}

EpochLoop::Step Search::take(StepData data, double rate) {
  const LoopPosition& here = position();
  problem_->set_step({std::move(data.train), std::move(data.valid), here.at, step_key(), rate, config_.weights.clip});

  take_bilevel_step(*problem_, *strategy_, *alpha_optimizer_, *weight_optimizer_, {rate, alpha_rate(), alphas_move(here.at.epoch)});
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

std::optional<EpochSums> Search::measured_at(const std::vector<Relaxed>& edge_weights,
                                             const std::atomic<int>& interrupt) {
  EpochSums valid;
  RecurrentState state;
  bool whole = true;
  data_->for_each_valid([&](const Batch& batch) {
    if (interrupt.load() != 0) return whole = false;
    const Outcome outcome = problem_->evaluate(edge_weights, batch, state);
    state = outcome.next;
    valid.add(outcome.loss.item<double>(), outcome.output, batch.target);
    return true;
  });
  if (!whole) return std::nullopt;
  return valid;
}

std::optional<Metrics> Search::measure(RunObserver& observer, const std::atomic<int>& interrupt) {
  const std::optional<EpochSums> valid =
      measured_at(problem_->measured_weights(position().at, step_key()), interrupt);
  if (!valid) return std::nullopt;
  Metrics metrics = task_.means(*valid, "valid");
  require_finite("the validation loss is", std::isfinite(metrics["valid_loss"]));
  metrics["learning_rate"] = epoch_rate();
  if (!let_decide(metrics, observer, interrupt)) return std::nullopt;
  return metrics;
}

EpochEnd Search::end_of(std::int64_t epoch, const Metrics& metrics, const std::vector<at::Tensor>& relaxed) {
  EpochEnd end;
  end.at = position().at;
  end.at.epoch = epoch + 1;
  end.train_loss = metrics.at("train_loss");
  end.valid_loss = metrics.at("valid_loss");
  end.alphas_moved = alphas_move(epoch);
  end.alphas = &network_->alphas();
  end.relaxed = &relaxed;
  end.problem = [this, epoch]() -> BilevelProblem& { return problem_at(epoch); };
  end.key = key_of({static_cast<std::uint64_t>(config_.seed), kEpochKeys, static_cast<std::uint64_t>(epoch)});
  end.edge_weights = [this, epoch] {
    SearchPosition at = position().at;
    at.epoch = epoch;
    return problem_->measured_weights(at, step_key());
  };
  return end;
}

bool Search::let_decide(const Metrics& metrics, RunObserver& observer, const std::atomic<int>& interrupt) {
  auto& schedule = strategy_->part<Schedule>();
  Metrics all = metrics;
  all.merge(train_means(position().sums));
  const std::vector<at::Tensor> weights = relaxed(alphas_);
  EpochEnd end = end_of(position().at.epoch, all, weights);
  bool whole = true;
  std::int64_t count = 0;
  auto told = std::chrono::steady_clock::now();
  end.measure = [&](const std::vector<Relaxed>& edge_weights) {
    if (const auto now = std::chrono::steady_clock::now(); now - told >= kNoticeEvery) {
      observer.on_notice(schedule.called + " decides: the validation half was measured " + std::to_string(count) + " times so far");
      told = now;
    }
    ++count;
    const std::optional<EpochSums> sums = measured_at(edge_weights, interrupt);
    if (!sums) {
      whole = false;
      throw Error(ErrorCode::failed, "the search was interrupted");
    }
    NetworkScore measured{sums->mean_loss(), {}};
    const Metrics means = task_.means(*sums, "valid");
    if (const auto accuracy = means.find("valid_accuracy"); accuracy != means.end()) measured.accuracy = accuracy->second;
    return measured;
  };
  const NamedTensors before = ask("save", &StrategyPart::save, schedule);
  try {
    ask("decide", &Schedule::decide, schedule, end);
  } catch (const Error&) {
    if (whole) throw;
  }
  if (!whole) ask("load", &StrategyPart::load, schedule, before);
  return whole;
}

void Search::end_epoch(Metrics& metrics, RunObserver&) {
  problem_->states() = {};
  record_row();
  const auto& genotypes = history_.genotypes;
  const std::vector<at::Tensor> weights = relaxed(alphas_);
  const EpochReport report{end_of(position().at.epoch - 1, metrics, weights), &genotypes.back(),
                           &genotypes[genotypes.size() - 2]};
  history_.stop_reason = ask("reason_to_stop", &Stopper::reason_to_stop, strategy_->part<Stopper>(), report);
  add_measured(metrics, strategy_->measured());
}

}  // namespace mixop
