#include "host/loop/epoch_loop.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace mixop {
namespace {

bool all_finite(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> floating;
  for (const at::Tensor& tensor : tensors)
    if (tensor.is_floating_point()) floating.push_back(tensor.detach());
  return at::stack(at::_foreach_norm(floating)).isfinite().all().item<bool>();
}

at::Tensor right_answers(const at::Tensor& output, const at::Tensor& target) {
  return output.detach().argmax(-1).eq(target).sum();
}

}  // namespace

std::int64_t count_correct(const at::Tensor& output, const at::Tensor& target) {
  return right_answers(output, target).item<std::int64_t>();
}

double perplexity_of(double mean_loss) { return std::min(std::exp(mean_loss), std::numeric_limits<double>::max()); }

void EpochSums::add(double mean_loss, const at::Tensor& output, const at::Tensor& target) {
  add(mean_loss, output.defined() ? count_correct(output, target) : 0, target);
}

void EpochSums::add(double mean_loss, std::int64_t right, const at::Tensor& target) {
  loss += mean_loss * static_cast<double>(target.numel());
  correct += right;
  samples += target.numel();
}

void LoopRecord::add(const Metrics& of_epoch, std::int64_t epoch) {
  for (const auto& [name, value] : of_epoch) metrics.try_emplace(name);
  for (auto& [name, values] : metrics) values.resize(static_cast<std::size_t>(epoch), std::nan(""));
  for (const auto& [name, value] : of_epoch) metrics[name].back() = value;
}

void EpochLoop::require_finite(const char* what, bool finite) const {
  if (finite) return;
  throw NotFinite(std::string(what) + " not finite any more, in epoch " + std::to_string(position_.at.epoch + 1) +
                  " after step " + std::to_string(position_.step_in_epoch) +
                  "; nothing of it is archived, earlier archives are intact");
}

void EpochLoop::require_finite_state() const {
  require_finite("the network's weights, statistics or alphas are", all_finite(state()));
}

RunEnd EpochLoop::run(RunObserver& observer, const std::atomic<int>& interrupt) {
  while (!over()) {
    try {
      if (!run_epoch(observer, interrupt)) return RunEnd::interrupted;
    } catch (const NotFinite& error) {
      if (!recover(error, observer)) throw;
    }
  }
  return stop_reason().empty() ? RunEnd::finished : RunEnd::stopped;
}

bool EpochLoop::run_epoch(RunObserver& observer, const std::atomic<int>& interrupt) {
  const auto start = std::chrono::steady_clock::now();
  const auto leave = [&] {
    require_finite_state();
    observer.checkpoint();
    return false;
  };
  while (position_.step_in_epoch < steps()) {
    take_step(observer);
    if (interrupt.load() != 0) return leave();
  }
  std::optional<Metrics> measured = placing([this] { return place(); }, [&] { return measure(observer, interrupt); });
  if (!measured) return leave();  // resuming measures anew
  Metrics& metrics = *measured;
  metrics.merge(train_means(position_.sums));
  require_finite_state();
  ++position_.at.epoch;
  position_.step_in_epoch = 0;
  position_.sums = {};
  record_.add(metrics, position_.at.epoch);
  end_epoch(metrics, observer);
  record_.add(metrics, position_.at.epoch);
  record_.epoch_seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  observer.checkpoint();
  observer.on_epoch(position_.at, metrics, genotype());
  return interrupt.load() == 0 || over();
}

EpochLoop::StepNumbers EpochLoop::numbers_of(const Step& step) {
  const at::Tensor loss = step.loss.detach();
  const at::Tensor likelihood = step.penalty.defined() ? loss - step.penalty.detach() : loss;
  const at::Tensor right = step.output.defined() ? right_answers(step.output, step.target) : at::zeros_like(loss);
  const at::Tensor all =
      at::stack({loss.to(at::kDouble), likelihood.to(at::kDouble), right.to(at::kDouble)}).to(at::kCPU);
  const double* numbers = all.const_data_ptr<double>();
  return {numbers[0], numbers[1], static_cast<std::int64_t>(numbers[2])};
}

std::string EpochLoop::place() const {
  const std::int64_t done = position_.step_in_epoch, all = steps();
  const std::string where = done < all ? "step " + std::to_string(done + 1) + " of " + std::to_string(all) : "the measurement at the end";
  return "; in epoch " + std::to_string(position_.at.epoch + 1) + ", " + where + "; nothing of it is archived, earlier archives are intact";
}

void EpochLoop::take_step(RunObserver& observer) {
  const Step taken = placing([this] { return place(); }, [this] { return step(); });
  const auto [loss, likelihood, right] = numbers_of(taken);
  require_finite("the training loss is", std::isfinite(loss));
  position_.sums.add(likelihood, right, taken.target);
  record_.step_losses.push_back(likelihood);
  ++position_.at.step;
  ++position_.step_in_epoch;
  observer.on_step(position_.at, position_.step_in_epoch, steps(), likelihood, position_.sums);
}

}  // namespace mixop
