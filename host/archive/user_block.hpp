#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace mixop {

/// The first bytes of every archive, which HDF5 skips:
///   0  8  magic "\x89MIXOP\r\n"      8  4  format version, little endian      12  4  zero
///  16  8  bytes after the block     24 32  SHA-256 of them                    56  456  zero
constexpr std::size_t kUserBlockSize = 512;
constexpr std::uint32_t kArchiveVersion = 1;

/// The user block for a file whose remainder is `rest`.
std::array<std::byte, kUserBlockSize> make_user_block(std::span<const std::byte> rest);

/// Whether a regular file begins as archives do.
bool is_archive_file(const std::filesystem::path& file);

/// Throws bad_data unless the file begins with a user block that fits all that follows. `name` names the file in
/// errors.
void check_user_block(std::span<const std::byte> file, const std::string& name);

}  // namespace mixop
