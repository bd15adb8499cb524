#include "host/session/run_time.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

#include "host/session/genotype_argument.hpp"
#include "host/session/search_session.hpp"
#include "host/session/train_session.hpp"
#include "host/train/measure.hpp"
#include "host/train/training.hpp"

namespace mixop {
namespace {

using Clock = std::chrono::steady_clock;

// A figure is the mean of at least so many, and of as many as so many seconds have room for.
constexpr std::int64_t kFewest = 3;
constexpr double kEnough = 3;

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}
double seconds_since(Clock::time_point begin) { return seconds_between(begin, Clock::now()); }

/// How fast things are done that follow each other, from its making on. The first one warms up, and counts where it is
/// the only one.
class Pace {
 public:
  /// Of a run that does things of that size altogether, beyond which nothing need be known.
  explicit Pace(std::int64_t all) : all_(all) {}
  /// Something of that size is done. False once enough is known.
  bool add(std::int64_t size) {
    last_ = Clock::now();
    if (count_++ == 0) {
      warm_ = last_;
      first_ = size;
      return first_ < all_;
    }
    size_ += size;
    return first_ + size_ < all_ && (count_ <= kFewest || seconds_between(warm_, last_) < kEnough);
  }
  /// Seconds of something of size 1.
  double each() const {
    return size_ > 0 ? seconds_between(warm_, last_) / static_cast<double>(size_)
                     : seconds_between(begin_, last_) / static_cast<double>(std::max<std::int64_t>(1, first_));
  }

 private:
  Clock::time_point begin_ = Clock::now(), warm_, last_;
  std::int64_t all_, count_ = 0, first_ = 0, size_ = 0;
};

/// Seconds of the epochs from `first` to before `end`, in which all steps cost the same.
double seconds_of_epochs(Search& search, std::int64_t first, std::int64_t end) {
  if (end <= first) return 0;
  SearchData& data = search.data();
  const std::int64_t steps = data.steps_in(first);
  search.position().at.epoch = first;
  Pace step((end - first) * steps);
  for (std::int64_t i = 0; i == 0 || step.add(1); ++i)
    search.try_step(data.at(first, i % steps, search.position().at.step));
  const std::vector<Relaxed> weights = search.problem().measured_weights(search.position().at, /*key=*/0);
  RecurrentState state;
  Pace sample(data.valid_count());
  data.for_each_valid([&](const Batch& batch) {
    const Outcome outcome = search.problem().evaluate(weights, batch, state);
    state = outcome.next;
    (void)outcome.loss.item<double>();
    return sample.add(batch.target.numel());
  });
  return static_cast<double>(end - first) * (static_cast<double>(steps) * step.each() +
                                             static_cast<double>(data.valid_count()) * sample.each());
}

/// Ends a training once the pace of its steps is known.
class StepClock final : public RunObserver {
 public:
  StepClock(Pace& pace, std::atomic<int>& enough) : pace_(pace), enough_(enough) {}
  void on_step(const SearchPosition&, std::int64_t, std::int64_t, double, const EpochSums&) override {
    if (!pace_.add(1)) enough_ = 1;
  }
  void on_epoch(const SearchPosition&, const Metrics&, const Genotype&) override { enough_ = 1; }
  void checkpoint() override {}

 private:
  Pace& pace_;
  std::atomic<int>& enough_;
};

/// Of the network in evaluation, by some batches of those records; 0 where there are none.
double seconds_a_sample(Training& training, Records records) {
  TrainingData& data = training.data();
  if (data.count(records) == 0) return 0;
  const auto measured = [&](const std::function<bool()>& go_on) {
    return measure(training.model(), data, records, data.measuring_batch(), go_on, [](std::int64_t, std::int64_t) {
      throw NotFinite("the network's output is not finite, with weights as they are drawn");
    });
  };
  (void)measured([] { return false; });  // the first batch warms up
  Pace batches(data.count(records) / data.measuring_batch() + 1);
  const auto begin = Clock::now();
  const Score score = measured([&] { return batches.add(1); });
  return seconds_since(begin) / static_cast<double>(score.samples());
}

}  // namespace

double predicted_seconds(const SearchRequest& request, const Application& application) {
  const auto begin = Clock::now();
  RunInputs inputs = inputs_of(request, application);
  Search search(inputs.config, application.plugins, inputs.options, inputs.data);
  double seconds = seconds_since(begin);
  const std::int64_t epochs = inputs.config.search.epochs;
  std::vector<std::int64_t> networks{0};
  for (const std::int64_t epoch : search.later_networks()) networks.push_back(epoch);
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (i > 0) search.try_stage(networks[i]);
    const std::int64_t end = i + 1 < networks.size() ? networks[i + 1] : epochs;
    const std::int64_t alone = std::min(end, networks[i] + inputs.config.search.pretrain_epochs);
    seconds += seconds_of_epochs(search, networks[i], alone) + seconds_of_epochs(search, alone, end);
  }
  return seconds;
}

TrainingTime predicted_seconds(const TrainRequest& request, const Application& application) {
  const auto begin = Clock::now();
  RunInputs inputs = inputs_of(request, application);
  const Genotype genotype = read_genotype(request.genotype, inputs.config.space.name, application.plugins).genotype;
  Training training(inputs.config, genotype, application.plugins, inputs.options, inputs.data);
  const double start = seconds_since(begin);
  TrainingData& data = training.data();
  const auto steps = static_cast<double>(data.steps_in(0)), epochs = static_cast<double>(inputs.config.train.epochs);
  Pace step(data.steps_in(0) * inputs.config.train.epochs);
  std::atomic<int> enough = 0;
  StepClock clock(step, enough);
  (void)training.run(clock, enough);

  const auto seconds_of = [&](Records records) {
    return static_cast<double>(data.count(records)) * seconds_a_sample(training, records);
  };
  double measured = 0;
  for (const Records records : data.measured()) measured += seconds_of(records);
  return {start + epochs * (steps * step.each() + measured), start + seconds_of(Records::test)};
}

}  // namespace mixop
