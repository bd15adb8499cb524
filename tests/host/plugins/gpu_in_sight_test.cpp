#include "host/plugins/gpu_in_sight.hpp"

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace mixop {

TEST_CASE("a driver's device file is a sign of a GPU", "[plugins][device]") {
  for (const char* const sign : {"nvidiactl", "nvidia0", "dxg"}) {
    const test::TemporaryFolder folder;
    CHECK_FALSE(gpu_in_sight(folder.path()));
    (void)folder.write(sign, std::string());
    CHECK(gpu_in_sight(folder.path()));
  }
  CHECK_FALSE(gpu_in_sight("/no/such/folder"));
}

}  // namespace mixop
