#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mixop {

/// A zip archive, read by libzip. Errors are bad_data that begin with its path and name the member.
class ZipFile {
 public:
  explicit ZipFile(const std::filesystem::path& path);
  ~ZipFile();
  ZipFile(ZipFile&&) noexcept;
  ZipFile& operator=(ZipFile&&) = delete;

  /// Names of all members, in the archive's order.
  const std::vector<std::string>& members() const { return members_; }
  /// The size of a member unpacked, as the archive says; nothing where there is none of that name.
  std::optional<std::uint64_t> size(const std::string& member) const;
  /// A member, whose checksum is checked. One that says it has more than `most` bytes is refused, as one is that is
  /// packed, which those of torch.save never are.
  std::vector<std::byte> read(const std::string& member, std::uint64_t most) const;

 private:
  struct State;
  std::string name_;
  std::unique_ptr<State> state_;
  std::vector<std::string> members_;
};

/// A member to be written.
struct ZipMember {
  std::string name;
  std::vector<std::byte> bytes;
};

/// A zip archive of members that are stored as they are, all of 1980-01-01: the same members give the same bytes.
std::vector<std::byte> zip_archive(const std::vector<ZipMember>& members);

}  // namespace mixop
