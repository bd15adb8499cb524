#include "host/loop/device.hpp"

#include <ATen/Parallel.h>
#include <unistd.h>

#include "host/plugins/cuda_library.hpp"
#include "host/plugins/gpu_in_sight.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace mixop {
namespace {

// Where there is a GPU, CUDA is loaded before a test makes LibTorch look for it.
[[maybe_unused]] const bool cuda_first = device_of("auto").is_cuda();

}  // namespace

TEST_CASE("no more threads than cores are used, and that is said", "[device]") {
  const int before = at::get_num_threads();
  const std::int64_t cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  use_threads(4096);
  CHECK(at::get_num_threads() == cores);
  use_threads(1);
  CHECK(at::get_num_threads() == 1);
  use_threads(0);
  CHECK(at::get_num_threads() == 1);
  CHECK(fewer_threads(4096) == "threads is 4096, and this machine has " + std::to_string(cores) +
                                   " core(s), of which a thread each is used: sums are rounded in another way than "
                                   "with more threads, so that the same bits are not promised");
  CHECK(fewer_threads(cores).empty());
  CHECK(fewer_threads(0).empty());
  at::set_num_threads(before);
}

TEST_CASE("a device that the machine lacks is refused", "[device][misuse]") {
  try {
    (void)device_of("cuda:99");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
    CHECK_THAT(error.what(), Catch::Matchers::StartsWith("device: 'cuda:99' was asked for, but "));
    CHECK_THAT(error.what(), Catch::Matchers::EndsWith("set device=cpu or auto"));
  }
}

TEST_CASE("auto is the CPU where no GPU is in sight, and says so", "[device]") {
  CHECK(device_of("cpu").is_cpu());
  CHECK(device_text("cpu") == "cpu");
  if (gpu_in_sight()) {
    CHECK_THAT(device_text("auto"), Catch::Matchers::Matches("(cpu|cuda:0) \\(auto: .+\\)"));
    return;
  }
  CHECK(device_of("auto").is_cpu());
  CHECK(device_text("auto") == "cpu (auto: no sign of a GPU)");
}

#if MIXOP_CUDA_VERSION == 0
TEST_CASE("a mixop without CUDA says so where a GPU is asked for", "[device][misuse]") {
  CHECK_THROWS_WITH(cuda_device_count(), "this mixop was built with a LibTorch without CUDA; build it with one that has CUDA");
}
#else
TEST_CASE("a CUDA library that is missing or another one is named", "[device][misuse]") {
  const test::TemporaryFolder folder;
  const auto missing = folder.path() / "libmixop_cuda.so";
  CHECK_THROWS_WITH(cuda_device_count(missing),
                    Catch::Matchers::StartsWith(missing.string() + " cannot be loaded (") &&
                        Catch::Matchers::EndsWith("); install mixop again, with the LibTorch that it was built with"));
  const auto other = std::filesystem::path(MIXOP_TEST_PLUGIN_DIR) / "test_plain.so";
  CHECK_THROWS_WITH(cuda_device_count(other), Catch::Matchers::StartsWith(other.string() + " is not of this mixop (") &&
                                          Catch::Matchers::EndsWith("); install mixop again"));
}
#endif

}  // namespace mixop
