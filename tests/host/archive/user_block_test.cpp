#include "host/archive/user_block.hpp"

#include <algorithm>
#include <vector>

#include "tests/catch.hpp"
#include "tests/host/archive/sample_archive.hpp"

using namespace mixop;

namespace {

std::vector<std::byte> file_of(const std::vector<std::byte>& rest) {
  const auto block = make_user_block(rest);
  std::vector<std::byte> file(block.size() + rest.size());
  std::copy(block.begin(), block.end(), file.begin());
  std::copy(rest.begin(), rest.end(), file.begin() + static_cast<std::ptrdiff_t>(block.size()));
  return file;
}

std::string problem(const std::vector<std::byte>& file) {
  return test::archive_error(ErrorCode::bad_data, [&] { check_user_block(file, "a.h5"); });
}

}  // namespace

TEST_CASE("every kind of damage to the first block has its message", "[archive][damage]") {
  const std::vector<std::byte> rest(100, std::byte{5});
  const auto sound = file_of(rest);
  REQUIRE(problem(sound).empty());
  const auto changed = [&](std::size_t at, int value) {
    auto file = sound;
    file[at] = static_cast<std::byte>(value);
    return problem(file);
  };
  CHECK(problem({}) == "a.h5: not a mixop archive: the first 8 bytes are not its mark");
  CHECK(changed(0, 0x88) == "a.h5: not a mixop archive: the first 8 bytes are not its mark");
  CHECK(problem({sound.begin(), sound.begin() + 100}) == "a.h5: cut short: 100 bytes, less than the first block's 512");
  CHECK(changed(8, 2) == "a.h5: archive format 2; this program reads 1 to 1, so use a newer one");
  CHECK(changed(8, 0) == "a.h5: archive format 0; this program reads 1 to 1, so use a newer one");
  CHECK(changed(16, 99) ==
        "a.h5: damaged: expected 99 bytes after the first block, found 100; a previous generation may "
        "stand beside it as a.h5.prev");
  const std::string digest =
      "a.h5: damaged: the content does not have the SHA-256 that the first block gives; a previous "
      "generation may stand beside it as a.h5.prev";
  CHECK(changed(24, 0) == digest);
  CHECK(changed(512, 6) == digest);
  CHECK(changed(12, 1) == "a.h5: damaged: bytes of the first block that must be zero are not");
  CHECK(changed(511, 1) == "a.h5: damaged: bytes of the first block that must be zero are not");
}

TEST_CASE("the first block holds the SHA-256 of what follows", "[archive]") {
  // FIPS 180-2, appendix B.1: the digest of "abc".
  const std::vector<std::byte> abc = {std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  const auto block = make_user_block(abc);
  const unsigned char expected[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                    0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  CHECK(std::memcmp(block.data() + 24, expected, sizeof expected) == 0);
  CHECK(block[8] == std::byte{1});
  CHECK(block[16] == std::byte{3});
}
