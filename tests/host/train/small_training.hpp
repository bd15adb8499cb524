#pragma once

#include <ATen/ATen.h>

#include <atomic>
#include <functional>
#include <string>

#include "host/train/network_archive.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/small_search.hpp"

namespace mixop::test {

/// Drawn images; `test` of them in the test split.
inline DatasetHandle drawn_images(const std::string& test = "10", const std::string& train = "30") {
  return DatasetHandle("synthetic", plugins().dataset("synthetic"), "",
                       {{"train", train}, {"test", test}, {"size", "8"}, {"classes", "4"}});
}

inline const DatasetHandle& small_images() {
  static const DatasetHandle data = drawn_images();
  return data;
}

/// Three epochs of three steps on 24 images of 8x8 pixels, 6 held out, with all that training draws at random.
inline Config training_config() {
  Config config = default_config(RunKind::train);
  config.seed = 5;
  config.threads = 1;
  config.device = "cpu";
  config.data.name = "synthetic";
  config.data.train_portion = 0.8;
  config.data.cutout = 2;
  config.space.channels = 2;
  config.space.layers = 3;
  config.space.stem = "cifar";
  config.train = {3, 8, 0, 0.3, 0.1};
  return config;
}

inline const Genotype& published_genotype(const std::string& name = "DARTS_V2") {
  static const auto space = make_part<SearchSpace>(plugins(), "darts_cnn", {});
  for (const NamedGenotype& named : space->genotypes())
    if (named.name == name) return named.genotype;
  throw Error(ErrorCode::failed, "no genotype " + name);
}

inline Training small_training(const Config& config = training_config(), const DatasetHandle& data = small_images()) {
  return Training(config, published_genotype(), plugins(), {}, data);
}

/// Noise of the size of small_images().
inline Batch drawn_batch(std::int64_t images) { return {at::randn({images, 3, 8, 8}), at::zeros({images}, at::kLong)}; }

inline ArchiveBuilder archive_of_training(Training& training) {
  return archive_of(training, {"", {}, to_json(training.config())},
                    {"a command", "now", "cpu", "a digest", {"a plugin"}});
}

/// Calls `on_step` after every step and `on_checkpoint` where the archive must be written; interrupts after a step.
class TrainingWatcher final : public RunObserver {
 public:
  explicit TrainingWatcher(std::int64_t stop_at = -1) : stop_at_(stop_at) {}
  void on_step(const SearchPosition& at, std::int64_t, std::int64_t, double, const EpochSums&) override {
    if (at.step == stop_at_) interrupt = 2;
    if (each_step) each_step();
  }
  void on_epoch(const SearchPosition& at, const Metrics&, const Genotype&) override { told = at.epoch; }
  void on_notice(const std::string& line) override {
    notices.push_back(line);
    if (each_notice) each_notice(line);
  }
  void checkpoint() override {
    if (each_checkpoint) each_checkpoint();
  }

  std::atomic<int> interrupt{0};
  std::int64_t told = 0;
  std::vector<std::string> notices;
  std::function<void()> each_step, each_checkpoint;
  std::function<void(const std::string&)> each_notice;

 private:
  std::int64_t stop_at_;
};

}  // namespace mixop::test
