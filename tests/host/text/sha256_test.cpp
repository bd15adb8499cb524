#include "host/text/sha256.hpp"

#include "tests/catch.hpp"

TEST_CASE("SHA-256 piece by piece is that of the whole", "[text]") {
  mixop::Sha256 pieces;
  pieces.add("ab", 2);
  pieces.add("", 0);
  pieces.add("c", 1);
  const mixop::Sha256::Digest digest = pieces.digest();
  CHECK(std::to_integer<int>(digest.front()) == 0xba);
  CHECK(std::to_integer<int>(digest.back()) == 0xad);
  CHECK(mixop::sha256_of_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
