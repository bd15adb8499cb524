#include "host/train/training_memory.hpp"

#include "host/data/sequences.hpp"
#include "host/search/memory.hpp"

namespace mixop {
namespace {

Batch drawn_batch(const DiscreteModel& model, std::int64_t longest, std::int64_t samples) {
  return model.task().drawn_batch(model.data().shape, longest, samples, model.type(), model.device());
}

/// Data sets are read when they are first asked for, and decoded ahead.
void open_all(TrainingData& data) {
  (void)data.train(0, 0);
  for (const Records records : data.measured()) data.for_each(records, 1, [](const Batch&) { return false; });
}

}  // namespace

std::int64_t predict_peak_memory(Training& training) {
  if (training.has_data()) open_all(training.data());
  const TrainConfig& keys = training.config().train;
  const std::int64_t longest = training.has_data() ? training.data().longest_sequence(keys.epochs)
                                                   : longest_sequence(training.config().data.bptt);
  const std::int64_t state = bytes_of_state(training.model().network()), weights = bytes_of(training.weights());
  MemoryTrial trial;
  trial.give_back = [&] { training.model().network().give_back_memory(); };
  trial.batch = keys.batch;
  trial.step = [&](std::int64_t samples) { (void)training.try_step(drawn_batch(training.model(), longest, samples)); };
  trial.archived = state + (training.config().weights.momentum != 0 ? weights : 0);
  if (keys.keep == "best") trial.later += state;
  if (keys.nonmono > 0 && keys.epochs > keys.nonmono + 1) trial.later += weights;
  // The best network is archived beside the last one, and the means of averaged SGD beside the weights.
  trial.archived += trial.later;
  return predict_peak_memory(trial);
}

}  // namespace mixop
