#include "mixop/error.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

MixopError fresh() {
  MixopError error{};
  error.size = sizeof error;
  return error;
}

TEST_CASE("what a plugin throws becomes a status and a message", "[sdk][error]") {
  MixopError error = fresh();
  CHECK(guarded(&error, [] {}) == MIXOP_OK);
  CHECK(guarded(&error, [] { throw Error(ErrorCode::bad_data, "a bad file"); }) == MIXOP_ERROR_BAD_DATA);
  CHECK(std::string(error.message) == "a bad file");
  CHECK(guarded(&error, [] { throw std::runtime_error("something"); }) == MIXOP_ERROR_FAILED);
  CHECK(std::string(error.message) == "something");
  CHECK(guarded(&error, [] { throw 3; }) == MIXOP_ERROR_FAILED);
  CHECK(std::string(error.message) == "an exception that is no std::exception");
  CHECK(guarded(nullptr, [] { throw 3; }) == MIXOP_ERROR_FAILED);
  CHECK(guarded(&error, [] { throw Error(ErrorCode::usage, std::string(2000, 'x')); }) == MIXOP_ERROR_USAGE);
  CHECK(std::string(error.message) == std::string(503, 'x'));
}

TEST_CASE("a status becomes an error with its place; an unknown one is the plugin's fault", "[sdk][error]") {
  CHECK_NOTHROW(checked("here", [](MixopError*) { return MIXOP_OK; }));
  CHECK_THROWS_WITH(
      checked("here", [](MixopError* error) { return guarded(error, [] { throw Error(ErrorCode::usage, "no"); }); }),
      "here: no");
  CHECK_THROWS_WITH(checked("", [](MixopError*) { return MIXOP_ERROR_FAILED; }), "failed without a message");
  try {
    checked("here", [](MixopError*) { return MixopStatus{77}; });
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::plugin);
  }
}

TEST_CASE("LibTorch's stack traces and source lines never reach a message", "[sdk][error]") {
  try {
    (void)at::ones({2}).view({3});
    FAIL("nothing was thrown");
  } catch (const std::exception& error) {
    CHECK(first_paragraph(error.what()) == "shape '[3]' is invalid for input of size 2");
  }
  try {
    (void)at::empty({std::int64_t{1} << 50});
    FAIL("nothing was thrown");
  } catch (const std::exception& error) {
    const std::string text = first_paragraph(error.what());
    CHECK_THAT(text, Catch::Matchers::StartsWith("not enough memory: can't allocate memory: you tried to allocate"));
    CHECK_THAT(text, !Catch::Matchers::Contains("frame #") && !Catch::Matchers::Contains("alloc_cpu"));
  }
}

}  // namespace
