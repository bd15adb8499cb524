#include "host/train/training.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "host/search/problem.hpp"
#include "host/search/start_check.hpp"
#include "host/train/low_precision.hpp"
#include "host/train/measure.hpp"
#include "host/train/schedule.hpp"
#include "mixop/gradients.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kStepKeys = 6;  // beside the streams of the data

std::vector<at::Tensor> distinct_tensors(const Network& network) {
  std::vector<at::Tensor> tensors;
  for (const StateEntry& entry : distinct_state(network)) tensors.push_back(entry.tensor);
  return tensors;
}

/// What needs a validation loss needs held-out records.
void require_held_out(const Config& config, const TrainingData& data) {
  if (data.count(Records::valid) > 0) return;
  const char* key = config.train.keep == "best"  ? "train.keep=best"
                    : config.train.nonmono > 0   ? "train.nonmono above 0"
                    : config.train.rollbacks > 0 ? "train.rollbacks above 0"
                                                 : nullptr;
  if (key != nullptr)
    throw Error(ErrorCode::usage, std::string(key) +
                                      " goes by the loss on held-out records, and none is held out; give a "
                                      "data.train_portion below 1");
}

}  // namespace

Training::Training(const Config& config, const Genotype& genotype, const PluginRegistry& plugins,
                   const ComponentOptions& options, const DatasetInfo& info, const DatasetHandle* data)
    : config_(config),
      genotype_(genotype),
      model_(config, genotype, network_data(info), plugins, options),
      data_(data != nullptr ? task().open_training_data(*data, config, model_.type(), model_.device()) : nullptr),
      weights_(parameters_of(model_.network())),
      optimizer_(weights_, config.weights.momentum, config.weights.decay) {
  if (config.train.rollbacks > 0 && config.train.keep != "best")
    throw Error(ErrorCode::usage, "train.rollbacks: expected 0 with train.keep=" + config.train.keep + ", found " +
                                      std::to_string(config.train.rollbacks) +
                                      "; a training rolls back to its best network, so set train.keep=best");
  if (config.precision == "bfloat16" && !task().has_low_precision())
    throw Error(ErrorCode::usage,
                "precision: bfloat16 is for trainings of images; set precision=float32 or float64 for text");
  if (data_ != nullptr) {
    require_held_out(config, *data_);
    (void)data_->steps_in(0);  // what is too short for its batch says so now
    try_single_image();
  }
  position().at.epochs = config.train.epochs;
  for (const at::Tensor& weight : weights_) weight.set_requires_grad(true);
}

/// Better known now than after an epoch.
void Training::try_single_image() {
  if (data_->smallest_batch() != 1) return;
  const at::NoGradGuard no_grad;
  const Batch image = task().drawn_batch(model_.data().shape, 1, 1, model_.type(), model_.device());
  Pass pass;
  pass.update_statistics = false;
  require_single_image("train.batch", [&] { (void)model_.network().loss({}, image, {}, pass); });
}

std::vector<at::Tensor> Training::state() const { return distinct_tensors(model_.network()); }

Outcome Training::training_pass(const Batch& batch) {
  const SearchPosition& at = position().at;
  Pass pass;
  pass.key = key_of({static_cast<std::uint64_t>(config_.seed), kStepKeys, static_cast<std::uint64_t>(at.step),
                     static_cast<std::uint64_t>(own_.rollbacks)});
  pass.drop_path = drop_path_probability(config_.train.drop_path, at.epoch, at.epochs);
  pass.penalties = true;
  const LowPrecision low(model_.device(), config_.precision == "bfloat16");
  return model_.network().loss({}, batch, own_.carried, pass);
}

std::vector<at::Tensor> Training::try_step(const Batch& batch) {
  return gradients(training_pass(batch).loss, weights_);
}

EpochLoop::Step Training::step() {
  const LoopPosition& here = position();
  if (here.step_in_epoch == 0) own_.carried.clear();
  const TrainBatch data = data_->train(here.at.epoch, here.step_in_epoch);
  const Outcome outcome = training_pass(data.batch);
  const std::vector<at::Tensor> weight_gradients = gradients(outcome.loss, weights_);
  clip(weight_gradients, config_.weights.clip);
  optimizer_.step(weight_gradients, data.rate_scale * learning_rate(config_.weights, here.at.epoch, here.at.epochs));
  if (own_.average) own_.average->add();
  own_.carried = outcome.next;
  return {outcome.loss, outcome.penalty, outcome.output, data.batch.target};
}

std::optional<Metrics> Training::measure(RunObserver&, const std::atomic<int>& interrupt) {
  std::optional<Exchanged> averaged;
  if (own_.average) averaged.emplace(weights_, own_.average->means());
  const SearchPosition& at = position().at;
  Metrics metrics{{"learning_rate", learning_rate(config_.weights, at.epoch, at.epochs)},
                  {"drop_path", drop_path_probability(config_.train.drop_path, at.epoch, at.epochs)}};
  for (const Records records : data_->measured()) {
    const Score score = mixop::measure(
        model_, *data_, records, data_->measuring_batch(), [&] { return interrupt.load() == 0; },
        [&](std::int64_t, std::int64_t) { require_finite("the network's output is", false); });
    if (interrupt.load() != 0) return std::nullopt;
    metrics.merge(mixop::metrics(task(), score, records_name(records)));
  }
  return metrics;
}

void Training::end_epoch(Metrics& metrics, RunObserver& observer) {
  own_.carried.clear();
  if (const auto loss = metrics.find("valid_loss"); loss != metrics.end()) keep_best(loss->second);
  begin_average(observer);
}

void Training::keep_best(double valid_loss) {
  if (config_.train.keep != "best" || (own_.best && !(valid_loss < own_.best->valid_loss))) return;
  std::optional<Exchanged> averaged;
  if (own_.average) averaged.emplace(weights_, own_.average->means());
  KeptNetwork kept{position().at.epoch, valid_loss, own_.average ? own_.average->steps() : 0, {}};
  for (const at::Tensor& tensor : distinct_tensors(model_.network())) kept.values.push_back(tensor.detach().clone());
  own_.best = std::move(kept);
}

void Training::begin_average(RunObserver& observer) {
  const auto losses = record().metrics.find("valid_loss");
  if (own_.average || losses == record().metrics.end() || !has_stopped_falling(losses->second, config_.train.nonmono))
    return;
  own_.average.emplace(weights_);
  observer.on_notice("the validation loss has stopped falling: averaged SGD from epoch " +
                     std::to_string(position().at.epoch + 1) + " on");
}

std::vector<double> Training::losses_of_epoch() const {
  const std::vector<double>& all = record().step_losses;
  return {all.end() - position().step_in_epoch, all.end()};
}

bool Training::recover(const NotFinite& error, RunObserver& observer) {
  if (!own_.best || own_.rollbacks >= config_.train.rollbacks) return false;
  std::pair<std::int64_t, std::vector<double>> failed{position().at.epoch, losses_of_epoch()};
  if (failed == failed_) return false;  // the same once more, for nothing is drawn anew
  failed_ = std::move(failed);
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> tensors = distinct_tensors(model_.network());
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].copy_(own_.best->values[i]);
  for (const at::Tensor& momentum : optimizer_.momenta()) momentum.zero_();
  own_.average.reset();
  if (own_.best->averaged > 0) own_.average.emplace(weights_, own_.best->averaged);
  ++own_.rollbacks;
  own_.carried.clear();
  LoopPosition& here = position();
  here.at.step -= here.step_in_epoch;
  here.step_in_epoch = 0;
  here.sums = {};
  record().step_losses.resize(static_cast<std::size_t>(here.at.step));
  observer.on_notice(std::string(error.what()) + "; rolled back to the network of epoch " +
                     std::to_string(own_.best->epoch) + ", from which epoch " + std::to_string(here.at.epoch + 1) +
                     " begins again (" + std::to_string(own_.rollbacks) + " of at most " +
                     std::to_string(config_.train.rollbacks) + ")");
  return true;
}

bool has_stopped_falling(const std::vector<double>& losses, std::int64_t patience) {
  const auto count = static_cast<std::int64_t>(losses.size());
  if (patience == 0 || count - 1 <= patience) return false;
  return losses.back() > *std::min_element(losses.begin(), losses.end() - 1 - patience);
}

std::optional<std::int64_t> best_epoch(const LoopRecord& record, const std::string& metric) {
  const auto found = record.metrics.find(metric);
  if (found == record.metrics.end() || found->second.empty()) return std::nullopt;
  const std::vector<double>& values = found->second;
  const bool loss = metric.size() > 5 && metric.rfind("_loss") == metric.size() - 5;
  const auto best =
      loss ? std::min_element(values.begin(), values.end()) : std::max_element(values.begin(), values.end());
  return best - values.begin() + 1;
}

}  // namespace mixop
