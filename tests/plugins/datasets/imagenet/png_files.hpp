#pragma once

#include <array>
#include <cstdint>
#include <string>

/// A number as PNG files hold it: the most significant byte first.
inline std::string big_endian(std::uint32_t value, int bytes = 4) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// The cyclic redundancy check of PNG's specification, annex D.
inline std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(crc32_of(type + data));
}

/// A zlib stream of one stored block of at most 65535 bytes.
inline std::string stored_zlib(const std::string& bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t low = 1, high = 0;
  for (const char byte : bytes) {
    low = (low + static_cast<std::uint8_t>(byte)) % 65521;
    high = (high + low) % 65521;
  }
  const auto little = [](std::uint32_t value) {
    return std::string{static_cast<char>(value), static_cast<char>(value >> 8)};
  };
  return "\x78\x01\x01" + little(size) + little(~size) + bytes + big_endian(high << 16 | low);
}

/// What a PNG file is made of; the default is one of 2 x 2 RGB pixels.
struct PngParts {
  std::uint32_t width = 2, height = 2;
  int depth = 8, colour = 2, interlace = 0;
  /// A filter byte and the pixels, row by row.
  std::string rows = std::string("\0\x01\x02\x03\x04\x05\x06\0\x07\x08\x09\x0a\x0b\x0c", 14);
  std::string before = "", after = "";  // chunks before and after the pixels

  std::string header() const {
    std::string data = big_endian(width) + big_endian(height);
    for (const int field : {depth, colour, 0, 0, interlace}) data += static_cast<char>(field);
    return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", data);
  }
  std::string file() const {
    return header() + before + png_chunk("IDAT", stored_zlib(rows)) + after + png_chunk("IEND", "");
  }
};
