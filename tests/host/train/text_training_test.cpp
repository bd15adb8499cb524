#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <limits>

#include "host/data/token_set.hpp"
#include "host/train/measure.hpp"
#include "host/train/network_check.hpp"
#include "host/train/training.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/altered_run.hpp"
#include "tests/host/search/run_watcher.hpp"
#include "tests/host/train/small_training.hpp"
#include "tests/support/small_text.hpp"

using namespace mixop;

namespace {

const Genotype kCell{{{"recurrent", {{"tanh", 0, 1}, {"relu", 1, 2}, {"sigmoid", 0, 3}}, {1, 2, 3}, 1}}, std::nullopt};

Config training_on_text(std::int64_t epochs) {
  Config config = test::text_config(RunKind::train);
  config.train = {epochs, 10, 0, 0, 0, "best", 1, 2};
  return config;
}

Training text_training(const Config& config) {
  return Training(config, kCell, test::plugins(), test::text_options(), test::small_text());
}

/// Runs to the end or to a step, archiving at every checkpoint; `prepare` may change the training before.
RunEnd run_to(const std::filesystem::path& out, const Config& config, std::int64_t stop_at = -1, bool resume = false,
              const std::function<void(Training&)>& each_step = {}) {
  Training training = text_training(config);
  if (resume) restore(training, Archive::open(out));
  test::TrainingWatcher watcher(stop_at);
  watcher.each_checkpoint = [&] { test::archive_of_training(training).save(out); };
  watcher.each_step = [&] {
    if (each_step) each_step(training);
  };
  return training.run(watcher, watcher.interrupt);
}

const double kNaN = std::numeric_limits<double>::quiet_NaN();

void poison(Training& training) {
  const at::NoGradGuard no_grad;
  training.weights()[1].fill_(kNaN);
}

/// Averaging from the first epoch's end on, whatever the losses are.
void average_now(Training& training) {
  if (training.position().at.epoch == 1 && training.position().step_in_epoch == 1 && !training.own().average)
    training.own().average.emplace(training.weights());
}

}  // namespace

TEST_CASE("averaged SGD begins where the loss is above the least but the last few", "[train][text]") {
  CHECK_FALSE(has_stopped_falling({}, 2));
  CHECK_FALSE(has_stopped_falling({5, 6}, 2));
  CHECK_FALSE(has_stopped_falling({5, 9, 9}, 2));        // none lies more than two epochs before the last
  CHECK(has_stopped_falling({5, 9, 9, 6}, 2));           // the least of {5} is below 6
  CHECK_FALSE(has_stopped_falling({7, 5, 9, 6}, 2));     // {7} is not below 6
  CHECK_FALSE(has_stopped_falling({5, 9, 9, 5}, 2));     // equal is not above
  CHECK_FALSE(has_stopped_falling({1, 2, 3, 4, 5}, 0));  // never
}

TEST_CASE("a training on text learns what no model without context can know, and measures words", "[train][text]") {
  Config config = training_on_text(6);
  config.train.nonmono = 0;
  config.space.width = 32;
  config.weights.lr = 20;
  const DatasetHandle data = test::drawn_text("6000");
  Training training(config, kCell, test::plugins(), test::without_dropout(), data);
  test::TrainingWatcher watcher;
  watcher.each_step = [&] {
    const RecurrentState& carried = training.own().carried;
    REQUIRE(carried.size() == 1);
    CHECK(carried[0].sizes() == at::IntArrayRef({10, 32}));
  };
  CHECK(training.run(watcher, watcher.interrupt) == RunEnd::finished);
  const auto& metrics = training.record().metrics;
  const TokenSet valid(data, MIXOP_SPLIT_VALID);
  CHECK(training.own().best->valid_loss < std::log(unigram_perplexity(valid.tokens(), valid.vocabulary())) - 0.5);
  CHECK(metrics.at("valid_perplexity").back() == Approx(std::exp(metrics.at("valid_loss").back())));
  CHECK(metrics.at("train_perplexity").size() == 6);
  CHECK(metrics.count("train_accuracy") == 0);
  CHECK(training.own().carried.empty());
}

TEST_CASE("the rate of a step is scaled by its sequence's length", "[train][text]") {
  Config config = training_on_text(1);
  config.precision = "float64";
  config.weights.clip = 0;
  Training training = text_training(config), other = text_training(config);
  const TrainBatch first = other.data().train(0, 0);
  const std::vector<at::Tensor> gradient = other.try_step(first.batch);
  test::TrainingWatcher watcher(1);
  training.run(watcher, watcher.interrupt);
  CHECK(first.rate_scale != 1);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const at::Tensor& before = other.weights()[i];
    CHECK(at::allclose(training.weights()[i], before - 5 * first.rate_scale * (gradient[i] + 1e-6 * before), 1e-12,
                       1e-14));
  }
}

TEST_CASE("the archive of a text training holds the best network, and evaluates to its measured loss",
          "[train][text][archive]") {
  const test::TemporaryFolder folder;
  const Config config = training_on_text(3);
  // Epoch 2 is spoilt, so that the best one is not the last.
  const auto spoil = [](Training& training) {
    const at::NoGradGuard no_grad;
    if (training.position().at.epoch == 1) training.weights()[0].add_(at::randn_like(training.weights()[0]));
  };
  REQUIRE(run_to(folder.path() / "net.h5", config, -1, false, spoil) == RunEnd::finished);
  const Archive archive = Archive::open(folder.path() / "net.h5");
  const std::int64_t best = archive.integer("/position", "best_epoch");
  REQUIRE(best == 1);
  DiscreteModel model = archived_model(archive, config, test::plugins(), test::text_options());
  const auto data = model.task().open_training_data(test::small_text(), config, model.type(), model.device());
  const Score score = measure(
      model, *data, Records::valid, data->measuring_batch(), [] { return true; },
      [](std::int64_t, std::int64_t) { FAIL("not finite"); });
  CHECK(score.loss() == Approx(archive.values<double>("/metrics/valid_loss")[0]).epsilon(1e-6));
  CHECK(archive.has("/last/weights/encoder.weight"));
}

TEST_CASE("averages are measured and kept, and the weights go on unchanged", "[train][text][average]") {
  Training training = text_training(training_on_text(2));
  test::TrainingWatcher watcher;
  std::vector<at::Tensor> before;
  watcher.each_step = [&] {
    average_now(training);
    before.clear();
    for (const at::Tensor& weight : training.weights()) before.push_back(weight.detach().clone());
  };
  training.run(watcher, watcher.interrupt);
  REQUIRE(training.own().average);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(at::equal(before[i], training.weights()[i].detach()));
  REQUIRE(training.own().best);
  REQUIRE(training.own().best->epoch == 2);
  CHECK(at::equal(training.own().best->values[0], training.own().average->means()[0]));
  const Exchanged averaged(training.weights(), training.own().average->means());
  const Score score = measure(
      training.model(), training.data(), Records::valid, 10, [] { return true; }, [](std::int64_t, std::int64_t) {});
  CHECK(score.loss() == training.record().metrics.at("valid_loss").back());
}

TEST_CASE("a text training that is interrupted at any step and resumed gives the bits of one that never stopped",
          "[train][text][resume]") {
  const test::TemporaryFolder folder;
  const Config config = training_on_text(3);
  REQUIRE(run_to(folder.path() / "whole.h5", config, -1, false, average_now) == RunEnd::finished);
  const auto steps = Archive::open(folder.path() / "whole.h5").integer("/position", "step");
  for (const std::int64_t step : {std::int64_t{2}, steps / 3, steps / 2, steps - 1}) {
    INFO("interrupted after step " << step << " of " << steps);
    const auto file = folder.path() / ("stopped" + std::to_string(step) + ".h5");
    REQUIRE(run_to(file, config, step, false, average_now) == RunEnd::interrupted);
    REQUIRE(run_to(file, config, -1, /*resume=*/true, average_now) == RunEnd::finished);
    CHECK(test::differences(folder.path() / "whole.h5", file).empty());
  }
}

TEST_CASE("a finished training that goes on gives the bits of a longer one", "[train][text][resume]") {
  const test::TemporaryFolder folder;
  REQUIRE(run_to(folder.path() / "whole.h5", training_on_text(4)) == RunEnd::finished);
  REQUIRE(run_to(folder.path() / "short.h5", training_on_text(2)) == RunEnd::finished);
  REQUIRE(run_to(folder.path() / "short.h5", training_on_text(4), -1, /*resume=*/true) == RunEnd::finished);
  for (const std::string& path : test::differences(folder.path() / "whole.h5", folder.path() / "short.h5"))
    CHECK(path == "/config/resolved");  // the archive was made from another number of epochs
}

TEST_CASE("averaged SGD begins by itself once the loss has stopped falling, and says so", "[train][text][average]") {
  Config config = training_on_text(4);
  config.train.nonmono = 1;
  Training training = text_training(config);
  test::TrainingWatcher watcher;
  watcher.each_step = [&] {
    const at::NoGradGuard no_grad;  // every epoch ends worse than the one before
    training.weights()[0].mul_(1.15);
    const std::int64_t epoch = training.position().at.epoch;
    CHECK(training.own().average.has_value() == (epoch == 3));  // the third loss is above the first
  };
  training.run(watcher, watcher.interrupt);
  const std::vector<double>& losses = training.record().metrics.at("valid_loss");
  REQUIRE(losses[2] > losses[0]);
  CHECK(watcher.notices ==
        std::vector<std::string>{"the validation loss has stopped falling: averaged SGD from epoch 4 on"});
  CHECK(training.own().average->steps() == training.data().steps_in(3));
}

TEST_CASE("a loss that is not finite rolls back to the best network, and the epoch begins again with other draws",
          "[train][text][rollback]") {
  Config config = training_on_text(4);
  config.train.nonmono = 0;
  config.weights.momentum = 0.5;
  Training training = text_training(config);
  test::TrainingWatcher watcher;
  bool poisoned = false, seen = false;
  std::vector<at::Tensor> best;
  std::int64_t steps_before = 0;
  watcher.each_step = [&] {
    const at::NoGradGuard no_grad;
    const LoopPosition& at = training.position();
    if (at.at.epoch == 1) training.weights()[0].mul_(1.3);  // so that the best epoch is the first
    if (at.at.epoch == 2 && at.step_in_epoch == 2 && !poisoned) {
      REQUIRE(training.own().best->epoch == 1);
      for (const at::Tensor& value : training.own().best->values) best.push_back(value.clone());
      steps_before = at.at.step - at.step_in_epoch;
      poisoned = true;
      poison(training);
    } else if (poisoned && !seen) {
      seen = true;
      CHECK(at.at.step == steps_before + 1);
      CHECK(training.record().step_losses.size() == static_cast<std::size_t>(at.at.step));
    }
  };
  watcher.each_notice = [&](const std::string& line) {
    CHECK(line.find("rolled back to the network of epoch 1, from which epoch 3 begins again (1 of at most 2)") !=
          std::string::npos);
    const std::vector<at::Tensor>& weights = training.weights();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      CHECK(at::equal(weights[i].detach(), best[i]));
      CHECK(training.optimizer().momenta()[i].count_nonzero().item<std::int64_t>() == 0);
    }
  };
  REQUIRE(training.run(watcher, watcher.interrupt) == RunEnd::finished);
  CHECK(seen);
  CHECK(watcher.notices.size() == 1);
  CHECK(training.own().rollbacks == 1);
}

TEST_CASE("a training that has rolled back resumes to the same bits", "[train][text][rollback][resume]") {
  const test::TemporaryFolder folder;
  const auto once = [](Training& training) {
    if (training.own().rollbacks == 0 && training.position().at.epoch == 1 && training.position().step_in_epoch == 2)
      poison(training);
  };
  REQUIRE(run_to(folder.path() / "whole.h5", training_on_text(3), -1, false, once) == RunEnd::finished);
  const std::int64_t in_second = Archive::open(folder.path() / "whole.h5").integer("/position", "step") / 3 + 4;
  REQUIRE(run_to(folder.path() / "stopped.h5", training_on_text(3), in_second, false, once) == RunEnd::interrupted);
  const Archive stopped = Archive::open(folder.path() / "stopped.h5");
  CHECK(stopped.integer("/position", "rollbacks") == 1);
  REQUIRE(run_to(folder.path() / "stopped.h5", training_on_text(3), -1, /*resume=*/true, once) == RunEnd::finished);
  CHECK(test::differences(folder.path() / "whole.h5", folder.path() / "stopped.h5") == std::vector<std::string>{});
}

TEST_CASE("where nothing is drawn, the second failure, which is the same, ends the training", "[train][text][rollback][misuse]") {
  Training training(training_on_text(3), kCell, test::plugins(), test::without_dropout(), test::small_text());
  test::TrainingWatcher watcher;
  watcher.each_step = [&] {
    if (training.position().at.epoch == 1 && training.position().step_in_epoch == 3) poison(training);
  };
  CHECK_THROWS_AS(training.run(watcher, watcher.interrupt), NotFinite);
  CHECK(watcher.notices.size() == 1);
}

TEST_CASE("a loss beyond all perplexities leaves an archive that can be read", "[train][text][archive]") {
  const test::TemporaryFolder folder;
  Config config = training_on_text(2);
  config.train.keep = "last";
  config.train.rollbacks = config.train.nonmono = 0;
  const auto astray = [](Training& training) {
    const at::NoGradGuard no_grad;
    if (training.position().at.epoch == 1 && training.position().step_in_epoch == 1) training.weights()[0].mul_(1e5);
  };
  REQUIRE(run_to(folder.path() / "net.h5", config, -1, false, astray) == RunEnd::finished);
  const Archive archive = Archive::open(folder.path() / "net.h5");
  REQUIRE(archive.values<double>("/metrics/valid_loss").back() > 710);
  CHECK(archive.values<double>("/metrics/valid_perplexity").back() == std::numeric_limits<double>::max());
  check_network(archive);
}

TEST_CASE("a roll-back ends averaging where the best network was none, and goes on with it where it was",
          "[train][text][rollback]") {
  for (const bool averaged_best : {false, true}) {
    Training training = text_training(training_on_text(3));
    test::TrainingWatcher watcher;
    bool poisoned = false;
    watcher.each_step = [&] {
      const LoopPosition& at = training.position();
      if (averaged_best && at.at.epoch == 0 && at.step_in_epoch == 1)
        training.own().average.emplace(training.weights());
      if (!averaged_best) average_now(training);
      if (at.at.epoch == 1 && at.step_in_epoch == 3 && !poisoned) {
        poisoned = true;
        poison(training);
      } else if (poisoned && at.at.epoch == 1 && at.step_in_epoch == 1 && training.own().rollbacks == 1) {
        CHECK(training.own().average.has_value() == averaged_best);
        watcher.interrupt = 2;
      }
    };
    if (!averaged_best) {
      // average_now would begin again in the epoch that is repeated.
      const auto before = watcher.each_step;
      watcher.each_step = [&, before] {
        if (training.own().rollbacks == 0) {
          before();
          return;
        }
        CHECK_FALSE(training.own().average);
        watcher.interrupt = 2;
      };
    }
    training.run(watcher, watcher.interrupt);
    CHECK(training.own().rollbacks == 1);
  }
}

TEST_CASE("a training that cannot roll back ends", "[train][text][rollback][misuse]") {
  const test::TemporaryFolder folder;
  const auto message = [&](const Config& config, std::int64_t epoch) {
    return test::error_of(ErrorCode::failed, [&] {
      run_to(folder.path() / "net.h5", config, -1, false, [&](Training& training) {
        if (training.position().at.epoch == epoch) poison(training);
      });
    });
  };
  CHECK(
      message(training_on_text(3), 0).rfind("the training loss is not finite any more, in epoch 1 after step 1; ", 0) ==
      0);
  CHECK(
      message(training_on_text(3), 1).rfind("the training loss is not finite any more, in epoch 2 after step 1; ", 0) ==
      0);
  CHECK(Archive::open(folder.path() / "net.h5").integer("/position", "epoch") == 1);
}

TEST_CASE("a hidden state that the network cannot have carried is refused", "[train][text][resume][hostile]") {
  const test::AlteredArchive archive([] {
    Training training = text_training(training_on_text(2));
    test::TrainingWatcher watcher(2);
    training.run(watcher, watcher.interrupt);
    return test::archive_of_training(training).finish();
  }());
  const auto problem = [&](const std::vector<test::Alteration>& alterations) {
    return archive.problem(alterations, [](const Archive& altered) {
      Training training = text_training(training_on_text(2));
      restore(training, altered);
    });
  };
  const std::string state = "/position/train_state/0", misfit = state + ": the archive's array does not have the shape";
  CHECK(problem({}).empty());
  for (const at::Tensor& wrong : {at::zeros({1, 8}), at::zeros({8}), at::zeros({10, 3}), at::zeros({10, 8}, at::kLong)})
    CHECK(problem({test::with_tensor(state, wrong)}).rfind(misfit, 0) == 0);
  CHECK(problem({test::with_tensor(state, at::full({10, 8}, kNaN))}) == state + ": holds values that are not finite");
  CHECK(problem({test::without("/position/train_state")}) ==
        "/position/train_state: is not there, and an epoch of text is under way");
}

TEST_CASE("what goes by held-out records needs some", "[train][misuse]") {
  Config config = test::training_config();
  config.data.train_portion = 1;
  const auto message = [&] { return test::error_of(ErrorCode::usage, [&] { test::small_training(config); }); };
  config.train.keep = "best";
  CHECK(
      message() ==
      "train.keep=best goes by the loss on held-out records, and none is held out; give a data.train_portion below 1");
  config.train.keep = "last";
  config.train.nonmono = 3;
  CHECK(message().rfind("train.nonmono above 0 goes by the loss on held-out records", 0) == 0);
  config.train.nonmono = 0;
  config.train.rollbacks = 1;
  CHECK(message() ==
        "train.rollbacks: expected 0 with train.keep=last, found 1; a training rolls back to its best network, so set "
        "train.keep=best");
}

TEST_CASE("a space for images is refused on text, and the other way round", "[train][text][misuse]") {
  Config config = training_on_text(1);
  config.space.name = "darts_cnn";
  CHECK(test::error_of(ErrorCode::usage, [&] { text_training(config); }) ==
        "space.name: expected a space for text, as the data is, found 'darts_cnn', which is for images; choose another "
        "space.name or data.name, or a preset, which sets both (mixop list presets)");
}
