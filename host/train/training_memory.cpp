#include "host/train/training_memory.hpp"

#include "host/data/sequences.hpp"
#include "host/search/memory.hpp"

namespace mixop {
namespace {

/// A text's sequences vary in length, and one of many steps is about the longest.
Batch drawn_batch(const Training& training, std::int64_t samples) {
  const DiscreteModel& model = training.model();
  return model.data().is_text()
             ? drawn_words(longest_sequence(training.config().data.bptt), samples, model.device())
             : drawn_images(model.data().shape, samples, model.type(), model.device());
}

/// Data sets are read when they are first asked for, and decoded ahead.
void open_all(TrainingData& data) {
  (void)data.train(0, 0);
  for (const Records records : data.measured())
    data.for_each(records, 1, [](const Batch&) { return false; });
}

}  // namespace

std::int64_t predict_peak_memory(Training& training) {
  if (training.has_data()) open_all(training.data());
  const TrainConfig& keys = training.config().train;
  const std::int64_t state = bytes_of_state(training.model().network()), weights = bytes_of(training.weights());
  MemoryTrial trial;
  trial.batch = keys.batch;
  trial.step = [&](std::int64_t samples) { training.try_step(drawn_batch(training, samples)); };
  trial.archived = state + (training.config().weights.momentum != 0 ? weights : 0);
  if (keys.keep == "best") trial.later += state;
  if (keys.nonmono > 0) trial.later += weights;
  // The best network is archived beside the last one, and the means of averaged SGD beside the weights.
  trial.archived += trial.later;
  return predict_peak_memory(trial);
}

}  // namespace mixop
