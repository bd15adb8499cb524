#include "host/train/network_archive.hpp"

#include <ATen/ATen.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "host/genotype/genotype_json.hpp"
#include "host/search/stored_tensor.hpp"
#include "tests/catch.hpp"
#include "tests/host/search/altered_run.hpp"
#include "tests/host/train/small_training.hpp"

using namespace mixop;
using test::Alteration;
using test::with_attribute;
using test::with_tensor;
using test::with_texts;
using test::without;

namespace {

/// The archive of a training that was stopped after five steps, two of them in its second epoch.
const test::AlteredArchive& altered_network() {
  static const test::AlteredArchive archive([] {
    Training training = test::small_training();
    test::TrainingWatcher watcher(5);
    training.run(watcher, watcher.interrupt);
    return test::archive_of_training(training).finish();
  }());
  return archive;
}

/// The memory that this process has been given, touched or not.
std::int64_t reserved_mib() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return (pages * ::sysconf(_SC_PAGESIZE)) >> 20;
}

std::string problem(const std::vector<Alteration>& alterations) {
  return altered_network().problem(alterations, [](const Archive& archive) { check_network(archive); });
}

std::string restore_problem(const std::vector<Alteration>& alterations,
                            const Config& config = test::training_config()) {
  return altered_network().problem(alterations, [&](const Archive& archive) {
    Training training = test::small_training(config);
    restore(training, archive);
  });
}

std::string model_problem(const std::vector<Alteration>& alterations) {
  return altered_network().problem(alterations, [&](const Archive& archive) {
    (void)archived_model(archive, archived_network_config(archive, {}), test::plugins(), {});
  });
}

/// As `train --resume` goes on: with the archive's own config and genotype.
std::string resume_problem(const std::vector<Alteration>& alterations) {
  return altered_network().problem(alterations, [](const Archive& archive) {
    Training training =
        resumed_training(archive, archived_network_config(archive, {}), test::plugins(), {}, test::small_images());
    restore(training, archive);
  });
}

const double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("a network that a training wrote is sound", "[train][archive]") {
  CHECK(problem({}).empty());
  CHECK(restore_problem({}).empty());
  CHECK(model_problem({}).empty());
  CHECK((archived_network_config(altered_network().sound(), {}) == test::training_config()));
  CHECK(archived_genotype(altered_network().sound()) == test::published_genotype());
}

TEST_CASE("archives of another kind or a newer version are no networks", "[train][archive][hostile]") {
  const auto other = [](const std::string& value) { return problem({with_attribute("/@layout", value)}); };
  CHECK(problem({without("/@layout")}) == "/@layout: is not there");
  for (const std::string text : {"", "mixop.network", "mixop.network/0", "mixop.network/1x", "mixop.run/1"})
    CHECK(other(text) == "/@layout: expected a trained network, mixop.network/1, found '" + text + "'");
  CHECK(other("mixop.network/2") ==
        "/@layout: mixop.network/2; this program reads mixop.network/1, so use a newer one");
}

TEST_CASE("a position that no training can have is refused", "[train][archive][hostile]") {
  const auto at = [](const char* name, const Attribute& value) {
    return problem({with_attribute(std::string("/position@") + name, value)});
  };
  CHECK(at("epoch", std::int64_t{4}) == "/position@epoch: expected 0 to 3, found 4");
  CHECK(at("step", std::int64_t{-1}) == "/position@step: expected 0 to 9223372036854775807, found -1");
  CHECK(at("step_in_epoch", std::int64_t{4}) ==
        "/position@step: 5 steps, 4 of them in the epoch under way, do not make 1 epochs of one length");
  CHECK(at("loss_sum", kNaN) == "/position@loss_sum: is not finite");
  CHECK(at("correct", std::int64_t{17}) == "/position@correct: expected 0 to 16, found 17");
  CHECK(at("rollbacks", std::int64_t{-1}) == "/position@rollbacks: expected 0 to 9223372036854775807, found -1");
  CHECK(at("averaged_steps", std::int64_t{6}) == "/position@averaged_steps: expected -1 to 5, found 6");
  CHECK(at("best_epoch", std::int64_t{2}) == "/position@best_epoch: expected 0 to 1, found 2");
  CHECK(at("best_averaged_steps", std::int64_t{1}) == "/position@best_averaged_steps: expected 0 to 0, found 1");
  CHECK(problem({with_texts("/config/resolved", {R"({"search": {"epochs": 3}})"})}) ==
        "/config/resolved: expected a number of epochs from 1 on in train.epochs");
}

TEST_CASE("metrics of another number or without meaning are refused", "[train][archive][hostile]") {
  const auto metric = [](const std::string& path, const at::Tensor& values) {
    return problem({with_tensor(path, values)});
  };
  CHECK(metric("/metrics/test_top1", at::zeros({2}, at::kDouble)) ==
        "/metrics/test_top1: expected 1, one for each epoch, found 2");
  CHECK(metric("/metrics/step_train_loss", at::zeros({6}, at::kDouble)) ==
        "/metrics/step_train_loss: expected 5, one for each step, found 6");
  CHECK(metric("/provenance/epoch_seconds", at::zeros({2}, at::kDouble)) ==
        "/provenance/epoch_seconds: expected 1, one for each epoch, found 2");
  CHECK(problem({without("/metrics/train_accuracy")}) == "/metrics/train_accuracy: is not there");
  CHECK(problem({without("/metrics/test_top1")}) == "/metrics/test_top1: is not there");
  CHECK(problem({without("/metrics/test_loss")}).rfind("/metrics/test_top1: expected the metrics train_loss, ", 0) ==
        0);
  CHECK(metric("/metrics/test_top1", at::full({1}, kNaN, at::kDouble)) ==
        "/metrics/test_top1: holds values that are not finite");
}

TEST_CASE("data that no network can be for is refused", "[train][archive][hostile]") {
  const auto data = [](const char* name, std::int64_t value) {
    return problem({with_attribute(std::string("/data@") + name, value)});
  };
  CHECK(data("classes", 0) == "/data@classes: expected 1 to 16777216, found 0");
  CHECK(data("channels", 5) == "/data@channels: expected 1 to 4, found 5");
  CHECK(data("height", 1 << 20) == "/data@height: expected 1 to 16384, found 1048576");
  CHECK(data("width", -8) == "/data@width: expected 1 to 16384, found -8");
  CHECK(problem({without("/data@classes")}) == "/data@classes: is not there");
}

TEST_CASE("a genotype that is none is refused", "[train][archive][hostile]") {
  CHECK(problem({without("/genotype")}) == "/genotype: is not there");
  CHECK(problem({with_texts("/genotype", {"{"})}).rfind("/genotype:1:", 0) == 0);
  CHECK(problem({with_texts("/genotype", {"{}"})}).find("no genotype") != std::string::npos);
}

TEST_CASE("weights and momenta that are none are refused", "[train][archive][hostile]") {
  const std::string weight = "/weights/classifier.bias", momentum = "/optimizer/weights/momentum/classifier.bias";
  CHECK(problem({with_tensor(weight, at::zeros({4}, at::kInt))}) ==
        weight + ": expected float32 or float64, found int32");
  CHECK(problem({with_tensor(weight, at::full({4}, kNaN))}) == weight + ": holds values that are not finite");
  CHECK(problem({with_tensor(momentum, at::zeros({3}))}) ==
        momentum + ": expected float32 [4], as its weight, found float32 [3]");
  CHECK(problem({with_tensor(momentum, at::full({4}, kNaN))}) == momentum + ": holds values that are not finite");
  CHECK(problem({without(momentum)}) == momentum + ": is not there");
  CHECK(problem({with_tensor("/buffers/stem.1.running_var", at::full({6}, kNaN))}) ==
        "/buffers/stem.1.running_var: holds values that are not finite");
}

TEST_CASE("a random state and a provenance that resuming cannot use are refused", "[train][archive][hostile]") {
  CHECK(problem({with_tensor("/random/generator", at::zeros({16}, at::kByte))}).rfind("/random/generator: the 16", 0) ==
        0);
  CHECK(problem({without("/provenance@dataset_digest")}) == "/provenance@dataset_digest: is not there");
}

TEST_CASE("a sound network that does not fit its own config is not restored", "[train][resume][hostile]") {
  const std::string misfit =
      ": the archive's array does not have the shape and type that its own config means; was it written by another "
      "version of a plugin?";
  const std::string weight = "/weights/classifier.bias", momentum = "/optimizer/weights/momentum/classifier.bias";
  const std::vector<Alteration> wider{with_tensor(weight, at::zeros({5})), with_tensor(momentum, at::zeros({5}))};
  CHECK(restore_problem(wider) == weight + misfit);
  CHECK(model_problem(wider) == weight + misfit);
  CHECK(restore_problem({without(weight)}) == weight + ": is not there");
  CHECK(
      restore_problem({{"/buffers", [](ArchiveBuilder& archive, const std::string&) {
                          put_tensor(archive, "/buffers/other.running_mean", at::zeros({2}));
                        }}}) == "/buffers/other.running_mean: the network that its own config means has no such array");
  Config shorter = test::training_config();
  shorter.train.batch = 4;
  CHECK(restore_problem({}, shorter) ==
        "/position@step: does not fit the steps of epochs that the data at hand and train.batch mean (6 in the first "
        "one)");
}

TEST_CASE("averages and networks beside the kept one are checked when a training goes on", "[train][resume][hostile]") {
  const Alteration averaging = with_attribute("/position@averaged_steps", std::int64_t{2});
  CHECK(restore_problem({averaging}).rfind("/average/", 0) == 0);
  const auto with_array = [](const std::string& path, const at::Tensor& values) {
    return Alteration{"/genotype", [=](ArchiveBuilder& archive, const std::string& at) {
                        archive.text(at, genotype_to_json(test::published_genotype()));
                        put_tensor(archive, path, values);
                      }};
  };
  CHECK(restore_problem({with_array("/last/weights/other", at::zeros({2}))}) ==
        "/last/weights/other: the network that its own config means has no such array");
  CHECK(restore_problem({with_array("/position/train_state/0", at::zeros({2}))}) ==
        "/position/train_state: is there, and nothing is carried");
}

TEST_CASE("a config and a genotype that make no network are the archive's fault", "[train][archive][hostile]") {
  const std::string start = "its config and genotype make no network: ";
  const std::string recurrent = R"({"recurrent": [["tanh", 0]], "concat": [1]})";
  CHECK(model_problem({with_texts("/genotype", {recurrent})}) ==
        start + "a network of darts_cnn with space.layers=3 has a 'normal' cell, and the genotype has none; take one "
                "with normal and reduce cells, as searches of 3 layers and more find them");
  CHECK(model_problem({with_attribute("/data@height", std::int64_t{2})}) ==
        start + "darts_cnn needs images of at least 4 pixels a side, found 2x8");
}

TEST_CASE(
    "a config, a genotype or classes that mean a network far larger than the arrays are refused before it is made",
    "[train][archive][hostile]") {
  const auto means = [](const std::string& problem) {
    return problem.rfind("/config/resolved: means a network of ", 0) == 0;
  };
  Config wide = test::training_config(), deep = wide;
  wide.space.channels = 4096;
  deep.space.channels = 256;
  deep.space.layers = 1000;
  const std::int64_t before = reserved_mib();
  for (const Config& config : {wide, deep}) {
    const Alteration claimed = with_texts("/config/resolved", {to_json(config)});
    CHECK(problem({claimed}).empty());
    CHECK(means(model_problem({claimed})));
    CHECK(means(resume_problem({claimed})));
  }
  CHECK(model_problem({with_attribute("/data@classes", std::int64_t{1} << 24)}) ==
        "/data/class_names: expected 16777216, one for each class, found 4");
  CHECK(reserved_mib() - before < 16);  // the checks themselves take
}

TEST_CASE("a training is resumed only on data like that it had", "[train][resume][hostile]") {
  const std::string found = ", and the data at hand has 3x8x8 images of 4 classes";
  const std::vector<std::string> others = {"a", "b", "c", "d"};
  CHECK(resume_problem({with_texts("/data/class_names", others)}) ==
        "/data@class_digest: is not that of /data/class_names");
  CHECK(resume_problem({with_texts("/data/class_names", others), with_attribute("/data@class_digest", digest_of_names(others))}) ==
        "/data: says 3x8x8 images of 4 classes" + found + " of other names or in another order");
  CHECK(problem({with_tensor("/data/mean", at::zeros({2}, at::kDouble))}) ==
        "/data/mean: expected 3, one for each channel, found 2");
  CHECK(problem({with_tensor("/data/deviation", at::full({3}, kNaN, at::kDouble))}) ==
        "/data/deviation: holds values that are not finite");
  CHECK(problem({with_tensor("/data/deviation", at::zeros({3}, at::kDouble))}) ==
        "/data/deviation: holds values that are not above 0");
  CHECK(problem({without("/data@class_digest")}) == "/data@class_digest: is not there");
  std::vector<Alteration> without_test;
  for (const char* figure : {"loss", "top1", "top5"})
    without_test.push_back(without(std::string("/metrics/test_") + figure));
  CHECK(problem(without_test).empty());
  CHECK(resume_problem(without_test) == "/metrics/test_loss: is not there, and the data at hand has such records");
}

TEST_CASE("an archived network computes what the trained one computed", "[train][archive]") {
  const Archive& archive = altered_network().sound();
  Training training = test::small_training();
  restore(training, archive);
  DiscreteModel model = archived_model(archive, test::training_config(), test::plugins(), {});
  const Batch images = test::drawn_batch(3);
  CHECK(at::equal(model.evaluate(images).output, training.model().evaluate(images).output));
}
