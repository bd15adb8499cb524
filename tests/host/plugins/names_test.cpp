#include "host/plugins/names.hpp"

#include "tests/catch.hpp"

TEST_CASE("an unknown name is refused with the nearest known one and the list", "[plugins][names]") {
  CHECK(mixop::unknown_name("operator", "sep_conv_3", {"none", "sep_conv_3x3"}) ==
        "unknown operator 'sep_conv_3'; did you mean 'sep_conv_3x3'? Known: none, sep_conv_3x3");
}

TEST_CASE("an unknown name that is like no known one is refused with the list", "[plugins][names]") {
  CHECK(mixop::unknown_name("space", "qqqqqqqqqqqq", {"darts_cnn"}) ==
        "unknown space 'qqqqqqqqqqqq'; known: darts_cnn");
  CHECK(mixop::unknown_name("space", "darts", {}) == "unknown space 'darts'; known: none");
}
