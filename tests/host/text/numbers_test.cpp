#include "host/text/numbers.hpp"

#include <cstdint>

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("a text that is more or less than a number is none", "[text][misuse]") {
  for (const char* text : {"", " 1", "1 ", "1x", "0x1", "+1", "1.5", "99999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(number_of<std::int64_t>(text));
  }
  for (const char* text : {"1e999", "-1e999", "1e99999999999999999999"}) CHECK_FALSE(number_of<double>(text));
  CHECK_FALSE(number_of<unsigned>("-1"));
  CHECK_FALSE(leading_number<int>("x1"));
}

TEST_CASE("a text that is a number is read whole, or as far as the number goes", "[text]") {
  CHECK(number_of<std::int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK(number_of<double>("2.5e-1") == 0.25);
  for (const char* small : {"1e-999", "-1e-999", "1e-99999999999999999999"}) CHECK(number_of<double>(small) == 0);
  CHECK(leading_number<std::uint64_t>("0042.7.host") == 42);
}
