#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mixop {

/// CRC-32C (Castagnoli, reflected), as RFC 3720 has it.
std::uint32_t crc32c(std::string_view bytes);
/// The form in which records hold it: rotated right by 15 bits, plus 0xa282ead8.
std::uint32_t masked_crc32c(std::string_view bytes);

/// A record of a TFRecord file: length (64 bits, little-endian), its masked CRC, the bytes, theirs.
std::string framed(std::string_view bytes);
/// The record at the beginning of `bytes`; none where it is cut off or damaged.
std::optional<std::string_view> first_record(std::string_view bytes);
/// Bytes of a record beside its content.
inline constexpr std::size_t kFrameBytes = 16;

}  // namespace mixop
