#include "host/search/memory_limit.hpp"

#include "tests/catch.hpp"

namespace {

using namespace mixop;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

TEST_CASE("what takes more memory than a process may is refused with both numbers, the bound and the keys",
          "[search][memory][misuse]") {
  const MemoryRoom room{300 * kMiB, "ulimit -v"};
  CHECK_NOTHROW(require_memory({200 * kMiB, 100 * kMiB}, "a key", room));
  CHECK_THROWS_WITH(
      require_memory({200 * kMiB, 101 * kMiB}, "space.channels (16)", room),
      "the run takes at least 301 MiB of memory (200 MiB for the weights and what has their size, 101 MiB "
      "for the activations of a step), and this process may take 300 MiB more (ulimit -v); lower "
      "space.channels (16)");
}

TEST_CASE("a run's own sizes are what is refused", "[search][memory][misuse]") {
  MeasuredNetwork network;
  network.parts = {{"cells.0", "normal", {}, {1000, 0, std::int64_t{1} << 40}}};
  Config config;
  config.device = "cpu";
  config.space.channels = 40;
  const auto problem = [&](const Task& task, std::int64_t batch) -> std::string {
    try {
      require_memory(network, config, task, batch);
    } catch (const Error& error) {
      return error.code() == ErrorCode::usage ? error.what() : "another code";
    }
    return "";
  };
  using Catch::Matchers::EndsWith;
  CHECK_THAT(problem(task_of(Domain::image), 64),
             EndsWith("lower space.channels (40), space.layers (8) or search.batch (64)"));
  CHECK_THAT(problem(task_of(Domain::recurrent), 64), EndsWith("lower space.width (300) or search.batch (64)"));
  CHECK(problem(task_of(Domain::image), 0).empty());
  config.kind = RunKind::train;
  CHECK_THAT(problem(task_of(Domain::image), 2), EndsWith("or train.batch (2)"));
}

}  // namespace
