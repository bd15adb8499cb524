#include "host/train/training.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <limits>

#include "host/search/problem.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/train/schedule.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/run_watcher.hpp"
#include "tests/host/train/small_training.hpp"

using namespace mixop;
using test::training_config;

namespace {

RunEnd run_to(const std::filesystem::path& out, std::int64_t stop_at = -1, bool resume = false,
              const Config& config = training_config()) {
  Training training = test::small_training(config);
  if (resume) restore(training, Archive::open(out));
  test::TrainingWatcher watcher(stop_at);
  watcher.each_checkpoint = [&] { test::archive_of_training(training).save(out); };
  return training.run(watcher, watcher.interrupt);
}

/// Runs a training in which something is poisoned after a step; returns the message and the checkpoints before it.
std::pair<std::string, int> poisoned(std::int64_t step, const std::function<void(Training&)>& poison) {
  Training training = test::small_training();
  test::TrainingWatcher watcher;
  int checkpoints = 0;
  watcher.each_step = [&] {
    const at::NoGradGuard no_grad;
    if (training.position().at.step == step) poison(training);
  };
  watcher.each_checkpoint = [&] { ++checkpoints; };
  return {test::error_of(ErrorCode::failed, [&] { training.run(watcher, watcher.interrupt); }), checkpoints};
}

void poison_weights(Training& training) {
  parameters_of(training.model().network())[0].fill_(std::numeric_limits<double>::quiet_NaN());
}

std::map<std::string, std::vector<double>> metrics_of_run(const Config& config, const DatasetHandle& data) {
  Training training = test::small_training(config, data);
  test::TrainingWatcher watcher;
  training.run(watcher, watcher.interrupt);
  return training.record().metrics;
}

}  // namespace

TEST_CASE("a training whose loss is not finite ends and leaves its last archive", "[train][misuse]") {
  const auto [inside, before] = poisoned(4, poison_weights);
  CHECK(
      inside ==
      "the training loss is not finite any more, in epoch 2 after step 1; nothing of it is archived, earlier archives "
      "are intact");
  CHECK(before == 1);
  const auto [at_end, none] = poisoned(3, poison_weights);
  CHECK(at_end.rfind("the network's output is not finite any more, in epoch 1 after step 3; ", 0) == 0);
  CHECK(none == 0);
}

TEST_CASE("images that are too small for the auxiliary head say so", "[train][misuse]") {
  Config config = training_config();
  config.train.auxiliary = 0.4;
  CHECK(test::error_of(ErrorCode::usage, [&] {
          test::small_training(config);
        }).find("the auxiliary head needs a feature map of at least 7 pixels a side") != std::string::npos);
}

TEST_CASE("a training that is interrupted at any step and resumed gives the bits of one that never stopped",
          "[train][resume]") {
  const test::TemporaryFolder folder;
  REQUIRE(run_to(folder.path() / "whole.h5") == RunEnd::finished);
  for (const std::int64_t step : {1, 3, 5, 9}) {  // inside an epoch, at the ends of the first and of the last one
    INFO("interrupted after step " << step);
    const auto file = folder.path() / ("stopped" + std::to_string(step) + ".h5");
    REQUIRE(run_to(file, step) == RunEnd::interrupted);
    CHECK(Archive::open(file).integer("/position", "step") == step);
    REQUIRE(run_to(file, -1, /*resume=*/true) == RunEnd::finished);
    CHECK(test::differences(folder.path() / "whole.h5", file).empty());
  }
}

TEST_CASE("a signal that comes while a checkpoint is written costs no further step", "[train][resume]") {
  Training training = test::small_training();
  test::TrainingWatcher watcher;
  int checkpoints = 0;
  watcher.each_checkpoint = [&] {
    ++checkpoints;
    watcher.interrupt = 2;
  };
  CHECK(training.run(watcher, watcher.interrupt) == RunEnd::interrupted);
  CHECK(training.position().at.step == 3);
  CHECK(checkpoints == 1);
  watcher.interrupt = 0;
  watcher.each_checkpoint = [&] { watcher.interrupt = training.position().at.epoch == 3 ? 2 : 0; };
  CHECK(training.run(watcher, watcher.interrupt) == RunEnd::finished);
}

TEST_CASE("another seed gives another network", "[train][determinism]") {
  const test::TemporaryFolder folder;
  Config other = training_config();
  other.seed = 6;
  run_to(folder.path() / "a.h5");
  run_to(folder.path() / "b.h5", -1, false, other);
  const auto paths = test::differences(folder.path() / "a.h5", folder.path() / "b.h5");
  for (const char* path : {"/weights/classifier.weight", "/metrics/train_loss"})
    CHECK(std::find(paths.begin(), paths.end(), path) != paths.end());
}

TEST_CASE("an epoch is reported only once its archive is written", "[train]") {
  Training training = test::small_training();
  test::TrainingWatcher watcher;
  std::int64_t checkpoints = 0;
  watcher.each_checkpoint = [&] { CHECK(watcher.told == checkpoints++); };
  training.run(watcher, watcher.interrupt);
  CHECK(checkpoints == 3);
  CHECK(watcher.told == 3);
}

TEST_CASE("every epoch measures the held-out records and the test split", "[train]") {
  const auto metrics = metrics_of_run(training_config(), test::small_images());
  for (const char* name : {"train_loss", "train_accuracy", "learning_rate", "drop_path", "valid_loss", "valid_top1",
                           "valid_top5", "test_loss", "test_top1", "test_top5"}) {
    INFO(name);
    REQUIRE(metrics.count(name) == 1);
    CHECK(metrics.at(name).size() == 3);
  }
  CHECK(metrics.at("drop_path").front() == 0);
  CHECK(metrics.at("drop_path").back() == Approx(0.2));
  CHECK(metrics.at("learning_rate")[1] == learning_rate(training_config().weights, 1, 3));
}

TEST_CASE("what there is not is not measured", "[train]") {
  Config config = training_config();
  config.data.train_portion = 1;
  const auto without_valid = metrics_of_run(config, test::small_images());
  CHECK(without_valid.count("valid_loss") == 0);
  CHECK(without_valid.count("test_loss") == 1);
  const auto without_test = metrics_of_run(training_config(), test::drawn_images("0"));
  CHECK(without_test.count("valid_loss") == 1);
  CHECK(without_test.count("test_loss") == 0);
}

TEST_CASE("measuring builds no graph, and changes neither weights nor statistics", "[train]") {
  Training training = test::small_training();
  std::vector<at::Tensor> before;
  for (const StateEntry& entry : training.model().network().state()) before.push_back(entry.tensor.detach().clone());
  const at::Tensor logits = training.model().evaluate(test::drawn_batch(4)).output;
  CHECK_FALSE(logits.requires_grad());
  CHECK(logits.sizes() == at::IntArrayRef({4, 4}));
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(at::equal(before[i], training.model().network().state()[i].tensor));
}

TEST_CASE("the first step is that of SGD on the smoothed loss at the first rate", "[train]") {
  Config config = training_config();
  config.precision = "float64";
  config.train.epochs = 1;
  config.train.batch = 24;
  config.weights.clip = 0;
  Training training = test::small_training(config), other = test::small_training(config);
  const std::vector<at::Tensor> weights = parameters_of(other.model().network());
  const std::vector<at::Tensor> gradient = other.try_step(other.data().train(0, 0).batch);
  test::TrainingWatcher watcher;
  training.run(watcher, watcher.interrupt);
  const std::vector<at::Tensor> found = parameters_of(training.model().network());
  for (std::size_t i = 0; i < weights.size(); ++i)
    CHECK(at::allclose(found[i], weights[i] - 0.025 * (gradient[i] + 3e-4 * weights[i]), 1e-12, 1e-14));
}

TEST_CASE("the best epoch is the first with the largest value", "[train]") {
  LoopRecord history;
  CHECK_FALSE(best_epoch(history, "test_top1"));
  history.metrics["test_top1"] = {};
  CHECK_FALSE(best_epoch(history, "test_top1"));
  history.metrics["test_top1"] = {10, 30, 20, 30};
  CHECK(best_epoch(history, "test_top1") == 2);
}
