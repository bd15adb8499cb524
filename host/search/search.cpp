#include "host/search/search.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kStepKeys = 4;  // beside the streams of the data

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach().to(at::kCPU).clone());
  return result;
}

std::vector<at::Tensor> initial_alphas(const std::vector<AlphaDeclaration>& declarations, double scale,
                                       at::ScalarType type, at::Device device) {
  std::vector<at::Tensor> alphas;
  for (const AlphaDeclaration& declaration : declarations) {
    std::vector<std::int64_t> shape{static_cast<std::int64_t>(declaration.topology.edges.size()),
                                    static_cast<std::int64_t>(declaration.topology.operations.size())};
    if (declaration.per_cell) shape.insert(shape.begin(), static_cast<std::int64_t>(declaration.cells.size()));
    alphas.push_back(at::randn(shape).mul_(scale).to(device, type));
  }
  return alphas;
}

PartNames overrides_of(const StrategyConfig& keys) {
  return {keys.relaxation, keys.hypergradient, keys.regulariser, keys.edge_transform, keys.stopper, keys.deriver};
}

/// Adds a batch: images or words, of which images are classified.
void add(EpochSums& sums, double loss, const at::Tensor& output, const at::Tensor& target) {
  sums.loss += loss * static_cast<double>(target.numel());
  sums.correct += output.defined() ? count_correct(output, target) : 0;
  sums.samples += target.numel();
  sums.words = !output.defined();
}

/// The mean loss as WHICH_loss, with the accuracy of images or the perplexity of text.
std::map<std::string, double> means_of(const EpochSums& sums, const std::string& which) {
  const double loss = sums.loss / static_cast<double>(sums.samples);
  if (sums.words) return {{which + "_loss", loss}, {which + "_perplexity", std::exp(loss)}};
  return {{which + "_loss", loss}, {which + "_accuracy", percent(sums.correct, sums.samples)}};
}

bool all_finite(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> floating;
  for (const at::Tensor& tensor : tensors)
    if (tensor.is_floating_point()) floating.push_back(tensor.detach());
  return at::stack(at::_foreach_norm(floating)).isfinite().all().item<bool>();
}

}  // namespace

SpaceConfig space_config(const SpaceKeys& keys, const DatasetInfo& data) {
  SpaceConfig config;
  config.channels = keys.channels;
  config.layers = keys.layers;
  config.width = keys.width;
  config.nodes = keys.nodes;
  config.operations = keys.ops;
  config.stem = keys.stem;
  config.input = {data.channels, data.height, data.width};
  config.classes = data.classes;
  return config;
}

at::Device device_of(const std::string& name) {
  const auto devices = at::hasCUDA() ? static_cast<std::int64_t>(at::getNumGPUs()) : 0;
  if (name == "cpu" || (name == "auto" && devices == 0)) return at::Device(at::kCPU);
  const at::Device device = name == "auto" || name == "cuda" ? at::Device(at::kCUDA, 0) : at::Device(name);
  if (device.index() >= devices)
    throw Error(ErrorCode::usage, "device: '" + name + "' was asked for, but LibTorch finds " +
                                      std::to_string(devices) +
                                      " CUDA device(s) on this machine; set device=cpu or auto");
  return device;
}

Search::Search(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options,
               const DatasetHandle& data)
    : config_(config),
      device_(device_of(config.device)),
      type_(config.precision == "float64" ? at::kDouble : at::kFloat),
      operators_(plugins),
      strategy_(plugins, parts_of(plugins, config.search.strategy, overrides_of(config.strategy)), options),
      space_(make_part<SearchSpace>(plugins, config.space.name, options)),
      data_(open_search_data(data, config, type_, device_)) {
  if (config.threads > 0) at::set_num_threads(static_cast<int>(config.threads));
  if (device_.is_cuda()) at::globalContext().setDeterministicCuDNN(true);
  at::manual_seed(static_cast<std::uint64_t>(config.seed));
  network_ = space_->supernet(space_config(config.space, data.info()), operators_, *strategy_.edge_transform);
  convert(*network_, type_, device_);
  alphas_ = initial_alphas(network_->alphas(), config.space.alpha_init, type_, device_);
  weight_optimizer_ = std::make_unique<Sgd>(parameters_of(*network_), config.weights.momentum, config.weights.decay);
  alpha_optimizer_ = std::make_unique<Adam>(
      alphas_, std::array<double, 2>{config.alphas.betas[0], config.alphas.betas[1]}, config.alphas.decay);
  problem_ = std::make_unique<SearchProblem>(*network_, alphas_, *strategy_.relaxation, *strategy_.regulariser,
                                             *weight_optimizer_);
  position_.epochs = config.search.epochs;
  history_.strategies.push_back({0, 0, config.search.strategy, strategy_.names});
  record_row();
}

std::vector<at::Tensor> Search::relaxed(const std::vector<at::Tensor>& alphas) const {
  const at::NoGradGuard no_grad;
  const SearchPosition at{position_.epoch, position_.epochs, 0};  // all that an archive tells of an epoch's end
  std::vector<at::Tensor> result;
  for (const at::Tensor& alpha : alphas)
    result.push_back(strategy_.relaxation->weights(alpha.detach().to(at::kCPU, at::kFloat), at, 0));
  return result;
}

Genotype Search::derive(const std::vector<at::Tensor>& alphas) const {
  return strategy_.deriver->derive(network_->alphas(), relaxed(alphas));
}

void Search::record_row() {
  history_.alphas.push_back(copies(alphas_));
  history_.genotypes.push_back(derive(alphas_));
}

std::uint64_t Search::step_key() const {
  return key_of({static_cast<std::uint64_t>(config_.seed), kStepKeys, static_cast<std::uint64_t>(position_.step)});
}

void Search::require_finite(const char* what, bool finite) const {
  if (finite) return;
  throw Error(ErrorCode::failed,
              std::string(what) + " not finite any more, in epoch " + std::to_string(position_.epoch + 1) +
                  " after step " + std::to_string(step_in_epoch_) +
                  "; nothing of it is archived, earlier archives are intact; a smaller weights.lr or "
                  "weights.clip may help");
}

/// An archive never holds a state that a search could not go on from.
void Search::require_finite_state() const {
  std::vector<at::Tensor> state = alphas_;
  for (const StateEntry& entry : network_->state()) state.push_back(entry.tensor);
  require_finite("weights, statistics or alphas are", all_finite(state));
}

SearchEnd Search::run(SearchObserver& observer, const std::atomic<int>& interrupt) {
  const auto leave = [&] {
    require_finite_state();
    observer.checkpoint();
    return SearchEnd::interrupted;
  };
  const auto over = [&] { return position_.epoch == position_.epochs || !history_.stop_reason.empty(); };
  while (!over()) {
    const auto start = std::chrono::steady_clock::now();
    while (step_in_epoch_ < data_->steps_in(position_.epoch)) {
      train_step(observer);
      if (interrupt.load() != 0) return leave();
    }
    std::map<std::string, double> metrics = validate(interrupt);
    if (interrupt.load() != 0) return leave();  // resuming validates anew
    finish_epoch(metrics);
    history_.epoch_seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    observer.checkpoint();
    observer.on_epoch(position_, metrics, history_.genotypes.back());
    if (interrupt.load() != 0 && !over()) return SearchEnd::interrupted;
  }
  return history_.stop_reason.empty() ? SearchEnd::finished : SearchEnd::stopped;
}

double Search::epoch_rate() const {
  return cosine_rate(config_.weights.lr, config_.weights.lr_min, position_.epoch, position_.epochs);
}

void Search::train_step(SearchObserver& observer) {
  if (step_in_epoch_ == 0) problem_->states() = {};
  StepData data = data_->at(position_.epoch, step_in_epoch_, position_.step);
  const double rate = epoch_rate() * data.rate_scale;
  problem_->set_step({std::move(data.train), std::move(data.valid), position_, step_key(), rate, config_.weights.clip});

  alpha_optimizer_->step(strategy_.hypergradient->alpha_gradients(*problem_), config_.alphas.lr);

  const at::Tensor loss = problem_->weight_loss();
  const double value = loss.item<double>();
  require_finite("the training loss is", std::isfinite(value));
  std::vector<at::Tensor> weight_gradients = gradients(loss, problem_->weights());
  clip_gradients(weight_gradients, config_.weights.clip);
  weight_optimizer_->step(weight_gradients, rate);
  problem_->finish_step();

  add(sums_, value, problem_->train_output(), problem_->train_target());
  history_.step_losses.push_back(value);
  ++position_.step;
  ++step_in_epoch_;
  observer.on_step(position_, step_in_epoch_, data_->steps_in(position_.epoch), value, sums_);
}

std::map<std::string, double> Search::validate(const std::atomic<int>& interrupt) {
  EpochSums valid;
  RecurrentState state;
  data_->for_each_valid([&](const Batch& batch) {
    if (interrupt.load() != 0) return false;
    const Outcome outcome = problem_->evaluate(batch, state, position_, step_key());
    state = outcome.next;
    add(valid, outcome.loss.item<double>(), outcome.output, batch.target);
    return true;
  });
  return means_of(valid, "valid");
}

void Search::finish_epoch(std::map<std::string, double>& metrics) {
  metrics.merge(means_of(sums_, "train"));
  metrics["learning_rate"] = epoch_rate();
  require_finite("the validation loss is", std::isfinite(metrics["valid_loss"]));
  require_finite_state();
  for (const auto& [name, value] : metrics) history_.metrics[name].push_back(value);
  ++position_.epoch;
  step_in_epoch_ = 0;
  sums_ = {};
  record_row();
  history_.stop_reason = strategy_.stopper->reason_to_stop(
      {position_, metrics["train_loss"], metrics["valid_loss"], &history_.genotypes.back()});
}

}  // namespace mixop
