#include "host/fetch/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "host/files/descriptor.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 18;
constexpr int kMostMembers = 5'000'000, kMostLevels = 64;

/// A reader of what data sets are published in, and of nothing else that libarchive knows.
class Reader {
 public:
  Reader(const fs::path& path, std::string name) : name_(std::move(name)) {
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_zip_seekable(archive_.get());
    if (archive_read_open_filename(archive_.get(), path.c_str(), kBlock) != ARCHIVE_OK) refuse(reason());
  }

  /// The next member, or null.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(archive_.get(), &entry);
    if (code == ARCHIVE_EOF) return nullptr;
    if (code < ARCHIVE_WARN) refuse(reason());
    if (++members_ > kMostMembers) refuse("has more than " + std::to_string(kMostMembers) + " members");
    return entry;
  }

  /// The next bytes of the member, 0 at its end.
  std::size_t read(std::span<std::byte> into, const std::string& member) {
    const la_ssize_t got = archive_read_data(archive_.get(), into.data(), into.size());
    if (got < 0) refuse("member '" + excerpt(member) + "': " + reason());
    return static_cast<std::size_t>(got);
  }

  [[noreturn]] void refuse(const std::string& how) const { throw Error(ErrorCode::bad_data, name_ + ": " + how); }

 private:
  std::string reason() const {
    const char* text = archive_error_string(archive_.get());
    return text == nullptr ? "is no tar or zip archive that can be read" : "is no sound archive: " + excerpt(text, 200);
  }
  struct Free {
    void operator()(struct archive* archive) const { archive_read_free(archive); }
  };

  std::string name_;
  std::unique_ptr<struct archive, Free> archive_{archive_read_new()};
  int members_ = 0;
};

/// The levels of a member's name; refuses one that leads out of the archive.
std::vector<std::string> levels_of(const std::string& member, const Reader& reader) {
  const std::string shown = "member '" + excerpt(member) + "'";
  if (member.empty()) reader.refuse("has a member without a name");
  if (member[0] == '/' || member.find('\\') != std::string::npos)
    reader.refuse(shown + " names a place outside the archive");
  std::vector<std::string> levels;
  for (std::size_t begin = 0; begin <= member.size();) {
    const std::size_t end = std::min(member.find('/', begin), member.size());
    const std::string level = member.substr(begin, end - begin);
    if (level == "..") reader.refuse(shown + " climbs out of its folder");
    if (!level.empty() && level != ".") levels.push_back(level);
    begin = end + 1;
  }
  if (levels.size() > kMostLevels) reader.refuse(shown + " is deeper than " + std::to_string(kMostLevels) + " folders");
  return levels;
}

/// Where a member comes to lie; empty where it is not below the folder.
fs::path place_below(const std::vector<std::string>& folder, const std::vector<std::string>& member) {
  if (member.size() <= folder.size() || !std::equal(folder.begin(), folder.end(), member.begin())) return {};
  fs::path place;
  for (std::size_t level = folder.size(); level < member.size(); ++level) place /= member[level];
  return place;
}

/// How many members the archive has that are refused with `most` bytes in all.
class Room {
 public:
  Room(std::uint64_t most, const Reader& reader) : most_(most), left_(most), reader_(reader) {}
  void take(std::uint64_t bytes) {
    if (bytes > left_)
      reader_.refuse("unpacks to more than " + std::to_string(most_) +
                     " bytes, which no archive of this data set does");
    left_ -= bytes;
  }
  std::uint64_t left() const { return left_; }

 private:
  std::uint64_t most_, left_;
  const Reader& reader_;
};

void write_member(Reader& reader, const std::string& member, const fs::path& file, Room& room) {
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  if (problem) fail_step(file.parent_path().string(), "creating", problem.value());
  const Descriptor target(
      repeated([&] { return ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666); }));
  if (target.get() < 0 && errno == EEXIST) reader.refuse("has two members '" + excerpt(member) + "'");
  if (target.get() < 0) fail_step(file.string(), "creating", errno);
  std::vector<std::byte> block(kBlock);
  while (const std::size_t got = reader.read(block, member)) {
    room.take(got);
    write_all(target.get(), std::span(block).first(got), file.string());
  }
  if (::fsync(target.get()) != 0) fail_step(file.string(), "writing it to the disk", errno);
}

void expect_plain(archive_entry* entry, const std::string& member, const Reader& reader) {
  const std::string shown = "member '" + excerpt(member) + "'";
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr)
    reader.refuse(shown + " is a link");
  const auto type = archive_entry_filetype(entry);
  if (type != AE_IFREG && type != AE_IFDIR) reader.refuse(shown + " is neither a file nor a folder");
  if (archive_entry_is_encrypted(entry) > 0) reader.refuse(shown + " is encrypted");
}

}  // namespace

void unpack(const fs::path& archive, const std::string& name, const std::string& below, const fs::path& to,
            std::uint64_t most) {
  Reader reader(archive, name);
  const std::vector<std::string> folder = levels_of(below, reader);
  Room room(most, reader);
  bool any = false;
  while (archive_entry* const entry = reader.next()) {
    const char* const raw = archive_entry_pathname(entry);
    const std::string member = raw == nullptr ? "" : raw;
    const fs::path place = place_below(folder, levels_of(member, reader));
    expect_plain(entry, member, reader);
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (archive_entry_size_is_set(entry) != 0 && archive_entry_size(entry) > 0 &&
        static_cast<std::uint64_t>(archive_entry_size(entry)) > room.left())
      room.take(static_cast<std::uint64_t>(archive_entry_size(entry)));
    if (place.empty()) {
      std::vector<std::byte> block(kBlock);
      while (const std::size_t got = reader.read(block, member)) room.take(got);
      continue;
    }
    write_member(reader, member, to / place, room);
    any = true;
  }
  if (!any) reader.refuse("has no files below '" + excerpt(below) + "'");
}

}  // namespace mixop
