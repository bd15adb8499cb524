#include "host/archive/user_block.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "host/text/sha256.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr char kMagic[8] = {'\x89', 'M', 'I', 'X', 'O', 'P', '\r', '\n'};
constexpr std::size_t kVersionAt = 8, kLengthAt = 16, kDigestAt = 24, kDigestSize = sizeof(Sha256::Digest);

Sha256::Digest sha256(std::span<const std::byte> data) {
  Sha256 hash;
  hash.add(data.data(), data.size());
  return hash.digest();
}

void put(std::byte* at, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint64_t get(const std::byte* at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(at[i]) << (8 * i);
  return value;
}

}  // namespace

std::array<std::byte, kUserBlockSize> make_user_block(std::span<const std::byte> rest) {
  std::array<std::byte, kUserBlockSize> block{};
  std::memcpy(block.data(), kMagic, sizeof kMagic);
  put(block.data() + kVersionAt, kArchiveVersion, 4);
  put(block.data() + kLengthAt, rest.size(), 8);
  const auto digest = sha256(rest);
  std::memcpy(block.data() + kDigestAt, digest.data(), digest.size());
  return block;
}

bool is_archive_file(const std::filesystem::path& file) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(file, problem)) return false;
  char first[sizeof kMagic] = {};
  std::ifstream(file, std::ios::binary).read(first, sizeof first);
  return std::memcmp(first, kMagic, sizeof kMagic) == 0;
}

void check_user_block(std::span<const std::byte> file, const std::string& name) {
  const auto refuse = [&](const std::string& what) { return Error(ErrorCode::bad_data, name + ": " + what); };
  if (file.size() < sizeof kMagic || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0)
    throw refuse("not a mixop archive: the first 8 bytes are not its mark");
  if (file.size() < kUserBlockSize)
    throw refuse("cut short: " + std::to_string(file.size()) + " bytes, less than the first block's " +
                 std::to_string(kUserBlockSize));
  const std::uint64_t version = get(file.data() + kVersionAt, 4);
  if (version == 0 || version > kArchiveVersion)
    throw refuse("archive format " + std::to_string(version) + "; this program reads 1 to " +
                 std::to_string(kArchiveVersion) + ", so use a newer one");
  const std::uint64_t length = get(file.data() + kLengthAt, 8);
  const auto rest = file.subspan(kUserBlockSize);
  if (length != rest.size())
    throw refuse("damaged: expected " + std::to_string(length) + " bytes after the first block, found " +
                 std::to_string(rest.size()) + "; a previous generation may stand beside it as " + name + ".prev");
  const auto expected = make_user_block(rest);
  if (std::memcmp(expected.data() + kDigestAt, file.data() + kDigestAt, kDigestSize) != 0)
    throw refuse(
        "damaged: the content does not have the SHA-256 that the first block gives; a previous generation may "
        "stand beside it as " +
        name + ".prev");
  if (!std::equal(expected.begin() + kVersionAt + 4, expected.end(), file.begin() + kVersionAt + 4))
    throw refuse("damaged: bytes of the first block that must be zero are not");
}

}  // namespace mixop
