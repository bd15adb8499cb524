#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <limits>

#include "host/search/memory.hpp"
#include "host/search/stored_tensor.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;
using test::differences;
using test::run_to;
using test::tiny_data;

Config tiny_config() {
  Config config = test::small_config(2);
  config.alphas.lr = 0.01;
  return config;
}

TEST_CASE("the same seed gives the same bits everywhere but in the provenance", "[search][determinism]") {
  const test::TemporaryFolder folder;
  CHECK(run_to(tiny_config(), folder.path() / "a.h5") == RunEnd::finished);
  CHECK(run_to(tiny_config(), folder.path() / "b.h5") == RunEnd::finished);
  CHECK(differences(folder.path() / "a.h5", folder.path() / "b.h5").empty());
}

TEST_CASE("another seed gives another run", "[search][determinism]") {
  const test::TemporaryFolder folder;
  Config other = tiny_config();
  other.seed = 6;
  run_to(tiny_config(), folder.path() / "a.h5");
  run_to(other, folder.path() / "b.h5");
  const auto paths = differences(folder.path() / "a.h5", folder.path() / "b.h5");
  for (const char* path : {"/alphas/alphas_normal", "/metrics/train_loss", "/weights/classifier.weight"})
    CHECK(std::find(paths.begin(), paths.end(), path) != paths.end());
}

TEST_CASE("a search that is interrupted at any step and resumed gives the bits of one that never stopped",
          "[search][resume]") {
  const test::TemporaryFolder folder;
  run_to(tiny_config(), folder.path() / "whole.h5");
  for (const std::int64_t step : {1, 3, 4, 6}) {  // inside an epoch, at the last step of one, and in the second one
    INFO("interrupted after step " << step);
    const auto file = folder.path() / ("stopped" + std::to_string(step) + ".h5");
    REQUIRE(run_to(tiny_config(), file, step) == RunEnd::interrupted);
    CHECK(Archive::open(file).integer("/position", "step") == step);
    REQUIRE(run_to(tiny_config(), file, -1, /*resume=*/true) == RunEnd::finished);
    CHECK(differences(folder.path() / "whole.h5", file).empty());
  }
}

TEST_CASE("alphas move, and every epoch leaves its row of alphas, genotype and metrics", "[search]") {
  const test::TemporaryFolder folder;
  run_to(tiny_config(), folder.path() / "run.h5");
  const Archive archive = Archive::open(folder.path() / "run.h5");
  const at::Tensor alphas = get_tensor(archive, "/alphas/alphas_normal");
  CHECK(alphas.sizes() == at::IntArrayRef({3, 5, 8}));
  CHECK((alphas[2] - alphas[0]).abs().max().item<double>() > 0.01);
  CHECK(archive.texts("/genotypes").size() == 3);
  CHECK(archive.texts("/operations/alphas_normal").front() == "none");
  CHECK(archive.array("/metrics/valid_accuracy").count() == 2);
  CHECK(archive.array("/metrics/step_train_loss").count() == 8);
}

/// Runs a search in which something is poisoned after a step; returns the message.
std::string poisoned(const std::filesystem::path& out, std::int64_t step, const std::function<void(Search&)>& poison) {
  Search search(tiny_config(), test::plugins(), {}, tiny_data());
  test::RunWatcher watcher(search, out);
  watcher.on_each_step = [&] {
    const at::NoGradGuard no_grad;
    if (search.position().at.step == step) poison(search);
  };
  try {
    search.run(watcher, watcher.interrupt);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::failed);
    return error.what();
  }
  return "nothing was noticed";
}

void poison_weights(Search& search) { search.problem().weights()[0].fill_(std::numeric_limits<double>::quiet_NaN()); }

TEST_CASE("a loss that is not finite ends the run and leaves the last archive", "[search][misuse]") {
  const test::TemporaryFolder folder;
  CHECK_THAT(poisoned(folder.path() / "run.h5", 6, poison_weights),
             Catch::Matchers::Contains("the training loss is not finite any more, in epoch 2 after step 2"));
  CHECK(Archive::open(folder.path() / "run.h5").integer("/position", "epoch") == 1);
}

TEST_CASE("a state that is not finite at the end of an epoch is never archived", "[search][misuse]") {
  const test::TemporaryFolder folder;
  CHECK_THAT(poisoned(folder.path() / "a.h5", 4, poison_weights),
             Catch::Matchers::Contains("the validation loss is not finite any more, in epoch 1 after step 4"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "a.h5"));
  const auto poison_alphas = [](Search& search) {
    search.problem().alphas()[1][0][0] = std::numeric_limits<float>::infinity();
  };
  CHECK_THAT(poisoned(folder.path() / "b.h5", 8, poison_alphas),
             Catch::Matchers::Contains("not finite any more, in epoch 2 after step 4"));
  CHECK(Archive::open(folder.path() / "b.h5").integer("/position", "epoch") == 1);
}

TEST_CASE("a run in double precision keeps its type in the archive", "[search]") {
  const test::TemporaryFolder folder;
  Config config = tiny_config();
  config.precision = "float64";
  config.search.epochs = 1;
  run_to(config, folder.path() / "run.h5");
  CHECK(Archive::open(folder.path() / "run.h5").array("/weights/classifier.weight").type == ElementType::float64);
}

TEST_CASE("an archive that does not fit its own config is refused when it is resumed", "[search][misuse]") {
  const test::TemporaryFolder folder;
  run_to(tiny_config(), folder.path() / "run.h5", 1);
  Config other = tiny_config();
  other.space.channels = 4;
  CHECK_THROWS_WITH(run_to(other, folder.path() / "run.h5", -1, true),
                    Catch::Matchers::Contains("does not have the shape and type that its own config means"));
}

TEST_CASE("the predicted memory grows with the batch", "[search]") {
  Config config = tiny_config();
  Search small(config, test::plugins(), {}, tiny_data());
  const std::int64_t eight = predict_peak_memory(small);
  config.search.batch = 4096;
  Search large(config, test::plugins(), {}, tiny_data());
  CHECK(predict_peak_memory(large) > eight + (100 << 20));
}

}  // namespace
