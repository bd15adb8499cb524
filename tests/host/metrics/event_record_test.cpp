#include "host/metrics/event_record.hpp"

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("the checksum is that of RFC 3720's examples", "[metrics]") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  CHECK(crc32c(rising) == 0x46dd794e);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(masked_crc32c(std::string(32, '\0')) == ((0x8a9136aau >> 15 | 0x8a9136aau << 17) + 0xa282ead8u));
}

TEST_CASE("a record is read back, whatever follows it", "[metrics]") {
  for (const std::string& content : {std::string(), std::string("a"), std::string(1000, 'x')}) {
    const std::string record = framed(content), longer = record + "more";
    CHECK(record.size() == content.size() + kFrameBytes);
    CHECK(first_record(record) == content);
    CHECK(first_record(longer) == content);
  }
}

TEST_CASE("a record that is cut off or has a flipped bit is none", "[metrics][misuse]") {
  const std::string record = framed("some bytes");
  for (std::size_t size = 0; size < record.size(); ++size) CHECK_FALSE(first_record(record.substr(0, size)));
  for (std::size_t at = 0; at < record.size(); ++at) {
    std::string flipped = record;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    CHECK_FALSE(first_record(flipped));
  }
  CHECK_FALSE(first_record(framed("x").replace(0, 8, std::string(8, '\xff'))));
}
