#include "host/fetch/fetch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "host/fetch/download.hpp"
#include "host/fetch/unpack.hpp"
#include "host/files/descriptor.hpp"
#include "host/text/printable.hpp"
#include "host/text/sha256.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) fail_step(folder.string(), "creating", problem.value(), ErrorCode::usage);
}

/// Opens the folder of what is on its way, for this process alone.
Descriptor open_alone(const fs::path& folder) {
  for (;;) {
    make_folder(folder);
    Descriptor opened(
        repeated([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (opened.get() < 0 && errno == ENOENT) continue;
    if (opened.get() < 0) fail_step(folder.string(), "opening", errno);
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0)
      throw Error(ErrorCode::failed, folder.string() + ": another fetch of this data set is at work; let it end");
    struct stat held {
    }, named{};
    if (::fstat(opened.get(), &held) == 0 && ::lstat(folder.c_str(), &named) == 0 && held.st_ino == named.st_ino)
      return opened;
  }
}

void expect_room(const PublishedData& data, const fs::path& folder) {
  std::uint64_t wanted = 0;
  for (const PublishedFile& file : data.files) wanted += file.bytes + file.unpacked_bytes;
  std::error_code problem;
  const fs::space_info space = fs::space(folder, problem);
  if (!problem && space.available < wanted)
    throw Error(ErrorCode::failed, folder.string() + ": " + data.name + " takes up to " + std::to_string(wanted >> 20) +
                                       " MiB while it is fetched, and " + std::to_string(space.available >> 20) +
                                       " are free; make room or name another --data");
}

/// One file on its way to `path`, with what there is of it.
class Arriving {
 public:
  Arriving(const PublishedFile& file, const fs::path& path, const FetchReports& reports)
      : file_(file),
        path_(path),
        reports_(reports),
        descriptor_(repeated([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666); })) {
    if (descriptor_.get() < 0) fail_step(path_.string(), "opening", errno);
    if (!is_single_file(descriptor_.get()))
      throw Error(ErrorCode::failed, path_.string() + ": is no file of its own; remove it");
  }

  FetchEnd bring() {
    const bool resumed = size() > 0;
    if (file_.bytes > 0 && size() > file_.bytes) begin_anew();
    if (file_.bytes == 0 || size() < file_.bytes)
      if (download_from_any() == FetchEnd::stopped) return FetchEnd::stopped;
    const std::string found = sha256_of_file(path_);
    if (found == file_.sha256) return FetchEnd::fetched;
    begin_anew();
    if (!resumed)
      throw Error(ErrorCode::bad_data, file_.name + ": what came is not what is published: expected SHA-256 " +
                                           file_.sha256 + ", found " + found +
                                           "; it was removed. A page of a proxy may have come in its place");
    reports_.say(file_.name + ": what was there of it does not go together with what came; it is fetched anew");
    return bring();
  }

 private:
  std::uint64_t size() const {
    struct stat info {};
    if (::fstat(descriptor_.get(), &info) != 0) fail_step(path_.string(), "looking at it", errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  void begin_anew() {
    if (::ftruncate(descriptor_.get(), 0) != 0) fail_step(path_.string(), "beginning anew", errno);
  }

  FetchEnd download_from_any() {
    std::string problems;  // with which all addresses ended
    for (const std::string& address : file_.addresses) {
      reports_.say(file_.name + ": " + (size() > 0 ? "going on at byte " + std::to_string(size()) + ", " : "") +
                   "from " + address);
      const Downloaded got =
          download(address, descriptor_.get(), path_.string(), file_.bytes > 0 ? file_.bytes : kMostBytes,
                   [&](std::uint64_t done, std::uint64_t all) {
                     return reports_.progress(file_, done, file_.bytes > 0 ? file_.bytes : all);
                   });
      if (got.end == DownloadEnd::stopped) return FetchEnd::stopped;
      if (got.end == DownloadEnd::complete) {
        reports_.progress(file_, size(), size());
        return FetchEnd::fetched;
      }
      if (got.end == DownloadEnd::too_long) {
        begin_anew();
        throw Error(ErrorCode::bad_data,
                    got.problem + "; it was removed. A page of a proxy may have come in its place");
      }
      problems += (problems.empty() ? "" : "; ") + got.problem;
    }
    throw Error(ErrorCode::failed, problems + ". The same command goes on where it was; --from names a mirror, and a " +
                                       file_.name + " in the folder of --data is taken in place of a download");
  }

  const PublishedFile& file_;
  const fs::path path_;
  const FetchReports& reports_;
  Descriptor descriptor_;
};

/// A file that people brought themselves.
std::optional<fs::path> brought(const PublishedFile& file, const fs::path& folder) {
  fs::path path = folder / file.name;
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return std::nullopt;
  const std::string found = sha256_of_file(path);
  if (found != file.sha256)
    throw Error(ErrorCode::bad_data, path.string() + ": is not what is published under its name: expected SHA-256 " +
                                         file.sha256 + ", found " + found + "; move it away, and it is fetched");
  return path;
}

void put(const PublishedFile& file, const fs::path& path, const fs::path& into) {
  if (!file.unpack.empty()) return unpack(path, file.name, file.unpack, into, file.unpacked_bytes);
  std::error_code problem;
  fs::copy_file(path, into / file.name, problem);
  if (problem) fail_step((into / file.name).string(), "copying", problem.value());
}

}  // namespace

fs::path fetched_folder(const PublishedData& data, const fs::path& folder) { return folder / data.folder; }

FetchEnd fetch(const PublishedData& data, const fs::path& folder, const FetchReports& reports) {
  make_folder(folder);
  const fs::path target = fetched_folder(data, folder), way = target.string() + ".part", unpacked = way / kUnpacked;
  const Descriptor alone = open_alone(way);
  expect_room(data, folder);
  std::vector<fs::path> files;
  for (const PublishedFile& file : data.files) {
    std::optional<fs::path> path = brought(file, folder);
    if (!path) {
      path = way / file.name;
      if (Arriving(file, *path, reports).bring() == FetchEnd::stopped) return FetchEnd::stopped;
    }
    files.push_back(*path);
  }
  std::error_code problem;
  fs::remove_all(unpacked, problem);  // of a fetch that was killed
  make_folder(unpacked);
  try {
    for (std::size_t i = 0; i < files.size(); ++i) put(data.files[i], files[i], unpacked);
  } catch (...) {
    fs::remove_all(unpacked, problem);
    throw;
  }
  fs::rename(unpacked, target, problem);
  if (problem) fail_step(target.string(), "giving the unpacked folder its name", problem.value());
  fs::remove_all(way, problem);
  return FetchEnd::fetched;
}

}  // namespace mixop
