#include "host/fetch/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "host/files/descriptor.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 18;
constexpr int kMostMembers = 5'000'000;
constexpr std::size_t kMostLevels = 64;

/// A reader of what data sets are published in, and of nothing else that libarchive knows.
class Reader {
 public:
  Reader(int file, std::string name) : name_(std::move(name)) {
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_zip_seekable(archive_.get());
    if (::lseek(file, 0, SEEK_SET) != 0 || archive_read_open_fd(archive_.get(), file, kBlock) != ARCHIVE_OK)
      refuse(reason());
  }

  /// The next member, or null.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(archive_.get(), &entry);
    if (code == ARCHIVE_EOF) return nullptr;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) refuse(reason());
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

/// Where a member comes to lie; empty where it is not below the folder.
fs::path place_below(const std::vector<std::string>& folder, const std::vector<std::string>& member) {
  if (member.size() <= folder.size() || !std::equal(folder.begin(), folder.end(), member.begin())) return {};
  fs::path place;
  for (std::size_t level = folder.size(); level < member.size(); ++level) place /= member[level];
  return place;
}

/// How many bytes more the archive may have.
class Room {
 public:
  Room(std::uint64_t most, const Reader& reader) : most_(most), left_(most), reader_(reader) {}
  /// Refuses what will not fit.
  void expect(std::uint64_t bytes) const {
    if (bytes > left_)
      reader_.refuse("unpacks to more than " + std::to_string(most_) +
                     " bytes, which no archive of this data set does");
  }
  void take(std::uint64_t bytes) {
    expect(bytes);
    left_ -= bytes;
  }

 private:
  std::uint64_t most_, left_;
  const Reader& reader_;
};

/// Hands the member's bytes to `take`; false where it was stopped.
bool for_each_block(Reader& reader, const std::string& member, Room& room, const std::function<bool()>& stopped,
                    const std::function<void(std::span<const std::byte>)>& take) {
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(kBlock);
  const std::span<std::byte> block(memory.get(), kBlock);
  while (const std::size_t got = reader.read(block, member)) {
    if (stopped()) return false;
    room.take(got);
    take(block.first(got));
  }
  return true;
}

Descriptor new_file(const Reader& reader, const std::string& member, const fs::path& file) {
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  const auto is_the_name = [](int code) { return code == ENOTDIR || code == EISDIR || code == ENAMETOOLONG; };
  const auto refuse = [&](int code) {
    reader.refuse("member '" + excerpt(member) +
                  "' cannot be a file beside the others: " + std::system_category().message(code));
  };
  if (is_the_name(problem.value()) || problem == std::errc::file_exists) refuse(problem.value());
  if (problem) fail_step(file.parent_path().string(), "creating", problem.value());
  Descriptor target(
      repeated([&] { return ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666); }));
  if (target.get() < 0 && errno == EEXIST) reader.refuse("has two members '" + excerpt(member) + "'");
  if (target.get() < 0 && is_the_name(errno)) refuse(errno);
  if (target.get() < 0) fail_step(file.string(), "creating", errno);
  return target;
}

/// While it lives, this thread's characters are UTF-8, in which libarchive gives names; the C locale has none but
/// ASCII.
class Utf8 {
 public:
  Utf8()
      : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(own_ == nullptr ? nullptr : ::uselocale(own_)) {}
  Utf8(const Utf8&) = delete;
  ~Utf8() {
    if (own_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(own_);
  }

 private:
  locale_t own_, before_;
};

std::string name_of(archive_entry* entry) {
  const char* const name = archive_entry_pathname(entry);
  return name == nullptr ? "" : name;
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

std::vector<std::string> levels_in_archive(const std::string& path, const std::string& where, ErrorCode code) {
  const auto refuse = [&](const std::string& how) { throw Error(code, where + how); };
  if (path.empty()) refuse("has no name");
  if (path[0] == '/' || path.find('\\') != std::string::npos) refuse("names a place outside the archive");
  std::vector<std::string> levels;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string level = path.substr(begin, end - begin);
    if (level == "..") refuse("climbs out of its folder");
    if (!level.empty() && level != ".") levels.push_back(level);
    begin = end + 1;
  }
  if (levels.size() > kMostLevels) refuse("is deeper than " + std::to_string(kMostLevels) + " folders");
  return levels;
}

bool unpack(int archive, const std::string& name, const std::string& below, const fs::path& to, std::uint64_t most,
            const std::function<bool()>& stopped) {
  const Utf8 names;
  Reader reader(archive, name);
  const std::vector<std::string> folder =
      levels_in_archive(below, name + ": '" + excerpt(below) + "' ", ErrorCode::usage);
  Room room(most, reader);
  bool any = false;
  while (archive_entry* const entry = reader.next()) {
    if (stopped()) return false;
    const std::string member = name_of(entry);
    const fs::path place = place_below(
        folder, levels_in_archive(member, name + ": member '" + excerpt(member) + "' ", ErrorCode::bad_data));
    expect_plain(entry, member, reader);
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (archive_entry_size_is_set(entry) != 0 && archive_entry_size(entry) > 0)
      room.expect(static_cast<std::uint64_t>(archive_entry_size(entry)));
    if (place.empty()) {
      if (!for_each_block(reader, member, room, stopped, [](std::span<const std::byte>) {})) return false;
      continue;
    }
    const fs::path file = to / place;
    const Descriptor target = new_file(reader, member, file);
    if (!for_each_block(reader, member, room, stopped,
                        [&](std::span<const std::byte> bytes) { write_all(target.get(), bytes, file.string()); }))
      return false;
    any = true;
  }
  if (!any) reader.refuse("has no files below '" + excerpt(below) + "'");
  return true;
}

}  // namespace mixop
