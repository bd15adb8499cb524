#include "host/metrics/append_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& problem) {
  throw Error(ErrorCode::usage,
              path.string() + ": the file of metrics cannot be opened: " + problem + "; name another place for it");
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path, int flags)
    : path_(std::move(path)), file_(repeated([&] {
        return ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | flags, 0666);
      })) {
  if (file_.get() < 0) refuse(path_, errno == ELOOP ? "it is a link" : std::strerror(errno));
}

AppendFile AppendFile::anew(std::filesystem::path path) { return AppendFile(std::move(path), O_CREAT | O_EXCL); }

AppendFile AppendFile::cut(std::filesystem::path path, std::int64_t keep) {
  AppendFile file(std::move(path), 0);
  if (!is_single_file(file.file_.get()))
    refuse(file.path_, "it is not a regular file, or has another name (a hard link)");
  if (::ftruncate(file.file_.get(), keep) != 0) file.fail("cut to its length");
  return file;
}

void AppendFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = repeated([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
    if (written < 0) fail("written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AppendFile::sync() {
  if (::fdatasync(file_.get()) != 0) fail("synced");
}

void AppendFile::fail(const char* step) const {
  throw Error(ErrorCode::failed, path_.string() + ": the file of metrics cannot be " + step + ": " +
                                     std::strerror(errno) + "; the archive is as it was, so go on by --resume");
}

}  // namespace mixop
