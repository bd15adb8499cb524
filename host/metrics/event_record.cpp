#include "host/metrics/event_record.hpp"

#include <array>

namespace mixop {
namespace {

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    table[i] = crc;
  }
  return table;
}();

std::string little_endian(std::uint64_t value, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string crc_of(std::string_view bytes) { return little_endian(masked_crc32c(bytes), 4); }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

std::string framed(std::string_view bytes) {
  const std::string length = little_endian(bytes.size(), 8);
  return length + crc_of(length) + std::string(bytes) + crc_of(bytes);
}

std::optional<std::string_view> first_record(std::string_view bytes) {
  if (bytes.size() < kFrameBytes || bytes.substr(8, 4) != crc_of(bytes.substr(0, 8))) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<std::uint8_t>(bytes[i]);
  if (length > bytes.size() - kFrameBytes) return std::nullopt;
  const std::string_view content = bytes.substr(12, length);
  if (bytes.substr(12 + length, 4) != crc_of(content)) return std::nullopt;
  return content;
}

}  // namespace mixop
