#include "host/fetch/download.hpp"

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("names become levels of an address", "[fetch]") {
  CHECK(in_address("ptb.train.txt") == "ptb.train.txt");
  CHECK(in_address("a b#c%?.txt") == "a%20b%23c%25%3F.txt");
}

TEST_CASE("addresses are shown without names and passwords", "[fetch]") {
  CHECK(shown_address("https://me:secret@host/a@b") == "https://...@host/a@b");
  CHECK(shown_address("https://host/a@b") == "https://host/a@b");
  CHECK(shown_address("https://host") == "https://host");
}
