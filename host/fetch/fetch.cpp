#include "host/fetch/fetch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "host/fetch/download.hpp"
#include "host/fetch/unpack.hpp"
#include "host/files/descriptor.hpp"
#include "host/text/printable.hpp"
#include "host/text/sha256.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 20;

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) fail_step(folder.string(), "creating", problem.value());
}

bool is_there(const fs::path& path) {
  std::error_code problem;
  return fs::exists(fs::symlink_status(path, problem));
}

/// Opens the folder of what is on its way, for this process alone.
Descriptor open_alone(const fs::path& folder) {
  for (;;) {
    make_folder(folder);
    Descriptor opened(
        repeated([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (opened.get() < 0 && errno == ENOENT) continue;
    if (opened.get() < 0) fail_step(folder.string(), "opening", errno);
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) fail_step(folder.string(), "locking", errno);
      throw Error(ErrorCode::failed, folder.string() + ": another fetch of this data set is at work; let it end");
    }
    struct stat held = {}, named = {};
    if (::fstat(opened.get(), &held) == 0 && ::lstat(folder.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
        held.st_dev == named.st_dev)
      return opened;
  }
}

std::uint64_t size_of(int file, const fs::path& path) {
  struct stat info = {};
  if (::fstat(file, &info) != 0) fail_step(path.string(), "looking at it", errno);
  return static_cast<std::uint64_t>(info.st_size);
}

void expect_room(const PublishedData& data, const fs::path& folder, const fs::path& way) {
  std::uint64_t wanted = 0;
  for (const PublishedFile& file : data.files) {
    std::error_code none;
    const bool brought = is_there(folder / file.name);
    const std::uint64_t here = fs::file_size(brought ? folder / file.name : way / file.name, none);
    const std::uint64_t missing = none ? file.bytes : file.bytes - std::min(file.bytes, here);
    wanted += file.unpacked_bytes + (brought && file.unpack.empty() ? file.bytes : missing);
  }
  std::error_code problem;
  const fs::space_info space = fs::space(folder, problem);
  if (!problem && space.available < wanted)
    throw Error(ErrorCode::failed, folder.string() + ": " + data.name + " takes up to " +
                                       std::to_string((wanted >> 20) + 1) + " MiB more while it is fetched, and " +
                                       std::to_string(space.available >> 20) +
                                       " are free; make room or name another --data");
}

/// A published file that is or was here, open.
struct OpenFile {
  fs::path path;
  Descriptor file;
  bool brought;  ///< by people, who keep it
};

/// The SHA-256 of an open file; nothing where it was stopped.
std::optional<std::string> digest_of(const OpenFile& open, const FetchReports& reports) {
  Sha256 hash;
  std::vector<std::byte> block(kBlock);
  for (off_t at = 0;;) {
    if (reports.stopped()) return std::nullopt;
    const auto got = repeated([&] { return ::pread(open.file.get(), block.data(), block.size(), at); });
    if (got < 0) fail_step(open.path.string(), "reading", errno);
    if (got == 0) return hex_of(hash.digest());
    hash.add(block.data(), static_cast<std::size_t>(got));
    at += got;
  }
}

/// Has one file come, of which there may be a beginning.
class Arrival {
 public:
  Arrival(const PublishedFile& file, const OpenFile& open, const FetchReports& reports)
      : file_(file), open_(open), reports_(reports) {}

  FetchEnd bring() {
    std::string problems;
    const auto failed = [&](const std::string& problem) { problems += (problems.empty() ? "" : "; ") + problem; };
    bool removed = false;
    if (file_.bytes == 0 && size() > 0) {  // which may be all of it already
      const std::optional<std::string> found = digest_of(open_, reports_);
      if (!found) return FetchEnd::stopped;
      if (*found == file_.sha256) return FetchEnd::fetched;
    }
    if (file_.bytes > 0 && size() > file_.bytes) cut(0);
    for (std::size_t i = 0; i < file_.addresses.size();) {
      const std::uint64_t before = size();
      const Downloaded got = from(file_.addresses[i]);
      if (got.end == DownloadEnd::stopped) return FetchEnd::stopped;
      if (got.end != DownloadEnd::complete) {
        failed(got.problem);
        if (got.end == DownloadEnd::too_long) cut(before);  // the beginning may be good
        removed = removed || (got.end == DownloadEnd::too_long && before == 0);
        ++i;
        continue;
      }
      const std::optional<std::string> found = digest_of(open_, reports_);
      if (!found) return FetchEnd::stopped;
      if (*found == file_.sha256) return FetchEnd::fetched;
      cut(0);
      if (before > 0) {
        reports_.say(file_.name + ": what was there of it does not go together with what came; it is fetched anew");
        continue;
      }
      failed(shown_address(file_.addresses[i]) + ": what came is not what is published: expected SHA-256 " +
             file_.sha256 + ", found " + *found);
      removed = true;
      ++i;
    }
    if (removed)
      throw Error(ErrorCode::bad_data, problems + "; it was removed. A page of a proxy may have come in its place");
    throw Error(ErrorCode::failed, problems + ". The same command goes on where it was; --from names a mirror, and '" +
                                       file_.name + "' in the folder of --data is taken in place of a download");
  }

 private:
  std::uint64_t size() const { return size_of(open_.file.get(), open_.path); }

  void cut(std::uint64_t size) {
    if (::ftruncate(open_.file.get(), static_cast<off_t>(size)) != 0)
      fail_step(open_.path.string(), "cutting off what is wrong", errno);
  }

  Downloaded from(const std::string& address) {
    if (file_.bytes > 0 && size() == file_.bytes) return {DownloadEnd::complete};
    reports_.say(file_.name + ": " + (size() > 0 ? "going on at byte " + std::to_string(size()) + ", " : "") + "from " +
                 shown_address(address));
    return download(address, open_.file.get(), open_.path.string(),
                    {file_.bytes, file_.bytes > 0 ? file_.bytes : kMostBytes},
                    [&](std::uint64_t done, std::uint64_t all) {
                      reports_.progress(file_, done, file_.bytes > 0 ? file_.bytes : all);
                      return !reports_.stopped();
                    });
  }

  const PublishedFile& file_;
  const OpenFile& open_;
  const FetchReports& reports_;
};

/// The file that people brought, or the one on its way.
OpenFile open_file(const PublishedFile& file, const fs::path& folder, const fs::path& way) {
  std::error_code problem;
  if (const fs::path own = folder / file.name; fs::is_regular_file(own, problem)) {
    OpenFile brought{own, Descriptor(repeated([&] { return ::open(own.c_str(), O_RDONLY | O_CLOEXEC); })), true};
    if (brought.file.get() < 0) fail_step(own.string(), "opening", errno);
    return brought;
  }
  const fs::path path = way / file.name;
  OpenFile open{
      path, Descriptor(repeated([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666); })),
      false};
  if (open.file.get() < 0) fail_step(path.string(), "opening", errno);
  if (!is_single_file(open.file.get()))
    throw Error(ErrorCode::failed, path.string() + ": is no file of its own; remove it");
  return open;
}

/// Has the file here, as it is published.
FetchEnd bring(const PublishedFile& file, const OpenFile& open, const FetchReports& reports) {
  if (!open.brought) return Arrival(file, open, reports).bring();
  const std::optional<std::string> found = digest_of(open, reports);
  if (!found) return FetchEnd::stopped;
  if (*found != file.sha256)
    throw Error(ErrorCode::bad_data, open.path.string() +
                                         ": is not what is published under its name: expected SHA-256 " + file.sha256 +
                                         ", found " + *found + "; move it away, and it is fetched");
  return FetchEnd::fetched;
}

/// False where it was stopped.
bool put(const PublishedFile& file, const OpenFile& open, const fs::path& into, const FetchReports& reports) {
  if (!file.unpack.empty())
    return unpack(open.file.get(), file.name, file.unpack, into, file.unpacked_bytes, reports.stopped);
  std::error_code problem;
  const fs::path place = into / file.name;
  // What was hashed is copied, whatever lies under its name by now.
  open.brought ? (void)fs::copy_file("/proc/self/fd/" + std::to_string(open.file.get()), place, problem)
               : fs::rename(open.path, place, problem);
  if (problem) fail_step(place.string(), "putting it there", problem.value());
  return true;
}

/// Removes what a fetch has made on its way, and nothing else.
void clear(const PublishedData& data, const fs::path& way) {
  std::error_code problem;
  for (const PublishedFile& file : data.files) fs::remove(way / file.name, problem);
  fs::remove_all(way / kUnpacked, problem);
  fs::remove(way, problem);  // unless something else is in it
}

/// What a fetch that was killed has unpacked goes, but for files that were put there as they came.
void take_back(const PublishedData& data, const fs::path& way) {
  std::error_code problem;
  for (const PublishedFile& file : data.files)
    if (file.unpack.empty() && !is_there(way / file.name))
      fs::rename(way / kUnpacked / file.name, way / file.name, problem);
  fs::remove_all(way / kUnpacked, problem);
}

/// Archives first: what is stopped or refused on the way leaves the other files where they were. False where it was
/// stopped.
bool put_all(const PublishedData& data, const std::vector<OpenFile>& files, const fs::path& into,
             const FetchReports& reports) {
  for (const bool packed : {true, false})
    for (std::size_t i = 0; i < files.size(); ++i)
      if (data.files[i].unpack.empty() != packed && !put(data.files[i], files[i], into, reports)) return false;
  return true;
}

/// Returns when all that was written there is on the disk.
void sync_all(const fs::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || ::syncfs(opened.get()) != 0) fail_step(folder.string(), "writing it to the disk", errno);
}

}  // namespace

fs::path fetched_folder(const PublishedData& data, const fs::path& folder) { return folder / data.folder; }

FetchEnd fetch(const PublishedData& data, const fs::path& folder, const FetchReports& reports) {
  make_folder(folder);
  const fs::path target = fetched_folder(data, folder), way = target.string() + ".part", unpacked = way / kUnpacked;
  if (is_there(target) && !is_there(way)) return FetchEnd::was_there;
  const Descriptor alone = open_alone(way);
  if (is_there(target)) {  // of a fetch that ended meanwhile, or was killed at its very end
    clear(data, way);
    return FetchEnd::was_there;
  }
  take_back(data, way);
  reports.say(data.summary + "; its terms: " + data.page);
  expect_room(data, folder, way);
  std::vector<OpenFile> files;
  for (const PublishedFile& file : data.files) {
    files.push_back(open_file(file, folder, way));
    if (bring(file, files.back(), reports) == FetchEnd::stopped) return FetchEnd::stopped;
  }
  make_folder(unpacked);
  try {
    if (!put_all(data, files, unpacked, reports)) return FetchEnd::stopped;
  } catch (...) {
    take_back(data, way);
    throw;
  }
  sync_all(unpacked);
  std::error_code problem;
  fs::rename(unpacked, target, problem);
  if (problem) fail_step(target.string(), "giving the unpacked folder its name", problem.value());
  clear(data, way);
  sync_all(folder);
  return FetchEnd::fetched;
}

}  // namespace mixop
