#include "host/task/meaning.hpp"

#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"

namespace {

using namespace mixop;
using test::error_of;

TEST_CASE("a key that means nothing to the data is refused", "[task]") {
  const auto refused = [](const char* assignment, RunKind kind, std::int32_t data) {
    return error_of(ErrorCode::usage, [&] { check_meaning({"seed=4", assignment}, kind, task_of(data)); });
  };
  CHECK(refused("data.cutout = 4", RunKind::search, MIXOP_DATA_TEXT) ==
        "--set data.cutout = 4: data.cutout is for images, and the data is text; leave it out");
  CHECK(refused("train.drop_path=0", RunKind::train, MIXOP_DATA_TEXT) ==
        "--set train.drop_path=0: train.drop_path is for images, and the data is text; leave it out");
  CHECK(refused("data.bptt=9", RunKind::train, MIXOP_DATA_IMAGES) ==
        "--set data.bptt=9: data.bptt is for text, and the data is images; leave it out");
  CHECK_NOTHROW(check_meaning({"data.bptt=9", "space.width=3"}, RunKind::search, task_of(MIXOP_DATA_TEXT)));
  CHECK_NOTHROW(check_meaning({"data.cutout=9", "space.layers=3"}, RunKind::search, task_of(MIXOP_DATA_IMAGES)));
}

}  // namespace
