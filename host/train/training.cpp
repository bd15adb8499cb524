#include "host/train/training.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "host/search/problem.hpp"
#include "host/train/schedule.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kStepKeys = 6;  // beside the streams of the data

bool all_finite(const Network& network) {
  std::vector<at::Tensor> floating;
  for (const StateEntry& entry : network.state())
    if (entry.tensor.is_floating_point()) floating.push_back(entry.tensor.detach());
  return at::stack(at::_foreach_norm(floating)).isfinite().all().item<bool>();
}

}  // namespace

Training::Training(const Config& config, const Genotype& genotype, const PluginRegistry& plugins,
                   const ComponentOptions& options, const DatasetHandle& data)
    : config_(config),
      genotype_(genotype),
      model_(config, genotype, network_data(data.info()), plugins, options),
      data_(data, config, model_.type(), model_.device()),
      weights_(parameters_of(model_.network())),
      optimizer_(weights_, config.weights.momentum, config.weights.decay) {
  position_.at.epochs = config.train.epochs;
  for (const at::Tensor& weight : weights_) weight.set_requires_grad(true);
}

void Training::require_finite(const char* what, bool finite) const {
  if (finite) return;
  throw Error(ErrorCode::failed,
              std::string(what) + " not finite any more, in epoch " + std::to_string(position_.at.epoch + 1) +
                  " after step " + std::to_string(position_.step_in_epoch) +
                  "; nothing of it is archived, earlier archives are intact; a smaller weights.lr or weights.clip may "
                  "help");
}

void Training::require_finite_state() const {
  require_finite("weights or statistics are", all_finite(model_.network()));
}

SearchEnd Training::run(SearchObserver& observer, const std::atomic<int>& interrupt) {
  const auto leave = [&] {
    require_finite_state();
    observer.checkpoint();
    return SearchEnd::interrupted;
  };
  while (position_.at.epoch < position_.at.epochs) {
    const auto start = std::chrono::steady_clock::now();
    while (position_.step_in_epoch < data_.steps_per_epoch()) {
      train_step(observer);
      if (interrupt.load() != 0) return leave();
    }
    const std::map<std::string, double> metrics = epoch_metrics(interrupt);
    if (interrupt.load() != 0) return leave();  // resuming measures anew
    finish_epoch(metrics);
    history_.epoch_seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    observer.checkpoint();
    observer.on_epoch(position_.at, metrics, genotype_);
    if (interrupt.load() != 0 && position_.at.epoch < position_.at.epochs) return SearchEnd::interrupted;
  }
  return SearchEnd::finished;
}

Outcome Training::training_pass(const Batch& batch) {
  Pass pass;
  pass.key =
      key_of({static_cast<std::uint64_t>(config_.seed), kStepKeys, static_cast<std::uint64_t>(position_.at.step)});
  pass.drop_path = drop_path_probability(config_.train.drop_path, position_.at.epoch, position_.at.epochs);
  return model_.network().loss({}, batch, {}, pass);
}

std::vector<at::Tensor> Training::try_step(const Batch& batch) {
  return gradients(training_pass(batch).loss, weights_);
}

void Training::train_step(SearchObserver& observer) {
  const Batch batch = data_.train(position_.at.epoch, position_.step_in_epoch);
  const Outcome outcome = training_pass(batch);
  const double value = outcome.loss.item<double>();
  require_finite("the training loss is", std::isfinite(value));
  std::vector<at::Tensor> weight_gradients = gradients(outcome.loss, weights_);
  clip_gradients(weight_gradients, config_.weights.clip);
  optimizer_.step(weight_gradients, learning_rate(config_.weights, position_.at.epoch, position_.at.epochs));

  const std::int64_t samples = batch.target.size(0);
  position_.sums.loss += value * static_cast<double>(samples);
  position_.sums.correct += count_correct(outcome.output, batch.target);
  position_.sums.samples += samples;
  history_.step_losses.push_back(value);
  ++position_.at.step;
  ++position_.step_in_epoch;
  observer.on_step(position_.at, position_.step_in_epoch, data_.steps_per_epoch(), value, position_.sums);
}

void Training::measure(Records records, std::map<std::string, double>& metrics, const std::atomic<int>& interrupt) {
  if (data_.count(records) == 0) return;
  Score score;
  data_.for_each(records, config_.train.batch, [&](const Batch& batch) {
    const at::Tensor logits = model_.evaluate(batch.input);
    require_finite("the network's output is", logits.isfinite().all().item<bool>());
    score.add(logits, batch.target);
    return interrupt.load() == 0;
  });
  const std::string name = records_name(records);
  metrics[name + "_loss"] = score.loss();
  metrics[name + "_top1"] = score.top1();
  metrics[name + "_top5"] = score.top5();
}

std::map<std::string, double> Training::epoch_metrics(const std::atomic<int>& interrupt) {
  const EpochSums& sums = position_.sums;
  const auto samples = static_cast<double>(sums.samples);
  std::map<std::string, double> metrics{
      {"train_loss", sums.loss / samples},
      {"train_accuracy", 100.0 * static_cast<double>(sums.correct) / samples},
      {"learning_rate", learning_rate(config_.weights, position_.at.epoch, position_.at.epochs)},
      {"drop_path", drop_path_probability(config_.train.drop_path, position_.at.epoch, position_.at.epochs)}};
  for (const Records records : {Records::valid, Records::test}) measure(records, metrics, interrupt);
  return metrics;
}

void Training::finish_epoch(const std::map<std::string, double>& metrics) {
  require_finite_state();
  for (const auto& [name, value] : metrics) history_.metrics[name].push_back(value);
  ++position_.at.epoch;
  position_.step_in_epoch = 0;
  position_.sums = {};
}

std::optional<std::int64_t> best_epoch(const TrainingHistory& history, const std::string& metric) {
  const auto found = history.metrics.find(metric);
  if (found == history.metrics.end() || found->second.empty()) return std::nullopt;
  return std::max_element(found->second.begin(), found->second.end()) - found->second.begin() + 1;
}

}  // namespace mixop
