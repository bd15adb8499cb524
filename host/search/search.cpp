#include "host/search/search.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

#include "host/search/baseline.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kStepKeys = 4;  // beside the streams of the data

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach().to(at::kCPU).clone());
  return result;
}

std::vector<at::Tensor> initial_alphas(const std::vector<AlphaDeclaration>& declarations, double scale,
                                       at::ScalarType type, at::Device device) {
  std::vector<at::Tensor> alphas;
  for (const AlphaDeclaration& declaration : declarations) {
    at::Tensor alpha = at::randn(declaration.shape()).mul_(scale);
    if (declaration.start.defined()) alpha = alpha + declaration.start;
    alphas.push_back(alpha.to(device, type));
  }
  return alphas;
}

}  // namespace

PartNames parts_of(const PluginRegistry& plugins, const Config& config) {
  const StrategyConfig& keys = config.strategy;
  return parts_of(
      plugins, config.search.strategy,
      {keys.relaxation, keys.hypergradient, keys.regulariser, keys.edge_transform, keys.stopper, keys.deriver});
}

SpaceConfig space_config(const SpaceKeys& keys, const DatasetInfo& data, const SearchSpace& space) {
  SpaceConfig config = alphas_config(keys, space);
  config.width = keys.width;
  config.input = {data.channels, data.height, data.width};
  config.classes = data.classes;
  return config;
}

SpaceConfig alphas_config(const SpaceKeys& keys, const SearchSpace& space) {
  SpaceConfig config;
  config.channels = keys.channels;
  config.layers = keys.layers;
  config.nodes = keys.nodes;
  config.operations = keys.ops;
  config.stem = keys.stem;
  set_baseline(config, keys.baseline, space, keys.name);
  return config;
}

Search::Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
               const DatasetInfo& info, const DatasetHandle* data)
    : config_(config),
      info_(info),
      task_(task_of(info.kind)),
      device_(device_of(config.device)),
      type_(config.precision == "float64" ? at::kDouble : at::kFloat),
      operators_(plugins),
      strategy_(plugins, parts_of(plugins, config), options),
      space_(make_space(plugins, config.space.name, options, task_.domain() == Domain::recurrent)),
      data_(data != nullptr ? task_.open_search_data(*data, config, type_, device_) : nullptr) {
  if (config.precision == "bfloat16")
    throw Error(ErrorCode::usage,
                "precision: bfloat16 is for trainings of images; set precision=float32 or float64 for a search");
  if (config.threads > 0) at::set_num_threads(static_cast<int>(config.threads));
  if (device_.is_cuda()) at::globalContext().setDeterministicCuDNN(true);
  at::manual_seed(static_cast<std::uint64_t>(config.seed));
  network_ = space_->supernet(space_config(config.space, info, *space_), operators_, *strategy_.edge_transform);
  convert(*network_, type_, device_);
  alphas_ = initial_alphas(network_->alphas(), config.space.alpha_init, type_, device_);
  weight_optimizer_ = std::make_unique<Sgd>(parameters_of(*network_), config.weights.momentum, config.weights.decay);
  alpha_optimizer_ = std::make_unique<Adam>(
      alphas_, std::array<double, 2>{config.alphas.betas[0], config.alphas.betas[1]}, config.alphas.decay);
  problem_ = std::make_unique<SearchProblem>(*network_, alphas_, *strategy_.relaxation, *strategy_.regulariser,
                                             *weight_optimizer_);
  position().at.epochs = config.search.epochs;
  history_.strategies.push_back({0, 0, config.search.strategy, strategy_.names});
  record_row();
}

std::vector<at::Tensor> Search::relaxed(const std::vector<at::Tensor>& alphas) const {
  const at::NoGradGuard no_grad;
  const SearchPosition at{position().at.epoch, position().at.epochs, 0};  // all that an archive tells of an epoch's end
  std::vector<at::Tensor> result;
  for (const at::Tensor& alpha : alphas)
    result.push_back(strategy_.relaxation->weights(alpha.detach().to(at::kCPU, at::kFloat), at, 0));
  return result;
}

Genotype Search::derive(const std::vector<at::Tensor>& alphas) const {
  return strategy_.deriver->derive(network_->alphas(), relaxed(alphas));
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
  if (here.step_in_epoch == 0) problem_->states() = {};
  StepData data = data_->at(here.at.epoch, here.step_in_epoch, here.at.step);
  return take(std::move(data), epoch_rate() * data.rate_scale);
}

EpochLoop::Step Search::take(StepData data, double rate) {
  const LoopPosition& here = position();
  problem_->set_step({std::move(data.train), std::move(data.valid), here.at, step_key(), rate, config_.weights.clip});

  if (alphas_move()) alpha_optimizer_->step(strategy_.hypergradient->alpha_gradients(*problem_), alpha_rate());

  std::vector<at::Tensor> weight_gradients = alphas_move() ? strategy_.hypergradient->weight_gradients(*problem_)
                                                           : gradients(problem_->weight_loss(), problem_->weights());
  require_finite("the training loss is", std::isfinite(problem_->train_value().item<double>()));
  clip_gradients(weight_gradients, config_.weights.clip);
  weight_optimizer_->step(weight_gradients, rate);
  problem_->finish_step();
  return {likelihood_of({problem_->train_value(), {}, {}, problem_->train_penalty()}), problem_->train_output(),
          problem_->train_target()};
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
  history_.stop_reason = strategy_.stopper->reason_to_stop(
      {position().at, metrics.at("train_loss"), metrics.at("valid_loss"), &genotypes.back(),
       &genotypes[genotypes.size() - 2], moved, &network_->alphas()});
  metrics.merge(strategy_.stopper->measured());
}

}  // namespace mixop
