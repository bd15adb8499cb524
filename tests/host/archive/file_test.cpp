#include "host/archive/file.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/archive/sample_archive.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using test::archive_error;
using test::content_of;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

void put(const fs::path& path, const std::string& content) { replace_file(path, std::as_bytes(std::span(content))); }

std::string put_problem(const fs::path& path, const std::string& content, ErrorCode code = ErrorCode::failed) {
  return archive_error(code, [&] { put(path, content); });
}

/// Files of this process stay below a size as long as this lives: what a full disk looks like to a writer.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const struct rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
  }
  ~SizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_ {};
  void (*handler_)(int) = nullptr;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("a full disk leaves the old file and no temporary one", "[archive][crash]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  put(file, "old");
  {
    const SizeLimit limit(1000);
    CHECK(put_problem(file, std::string(5000, 'x')) ==
          file.string() + ": writing failed: File too large; free some space, or write to another place");
  }
  CHECK(content_of(file) == "old");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"run.h5"});
}

TEST_CASE("a folder that is not there or cannot be written is named", "[archive]") {
  const TemporaryFolder folder;
  CHECK(put_problem(folder.path() / "no" / "run.h5", "x") ==
        (folder.path() / "no" / "run.h5").string() + ": creating failed: No such file or directory");
  // Also what the superuser, whom permissions do not stop, cannot write to.
  CHECK(put_problem("/proc/run.h5", "x").rfind("/proc/run.h5: creating failed: ", 0) == 0);
}

TEST_CASE("whatever has the name of a temporary or previous file is never written through", "[archive][misuse]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5", victim = folder.write("victim", std::string("mine"));
  const auto plant = [&](int kind, const fs::path& path) {
    if (kind == 0) fs::create_hard_link(victim, path);
    if (kind == 1) fs::create_symlink(victim, path);
    if (kind == 2) REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  };
  for (const char* end : {".tmp", ".prev", ".prev.tmp"})
    for (int kind = 0; kind < 3; ++kind) {
      put(file, "old");
      plant(kind, file.string() + end);
      put(file, "new");
      CHECK(content_of(victim) == "mine");
      CHECK(content_of(file) == "new");
      for (const char* each : {"", ".tmp", ".prev", ".prev.tmp"}) fs::remove(file.string() + each);
    }
}

TEST_CASE("a file keeps its mode", "[archive]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  put(file, "old");
  for (const fs::perms mode : {fs::perms(0600), fs::perms(0640), fs::perms(0666)}) {
    fs::permissions(file, mode);
    put(file, "new");
    CHECK(fs::status(file).permissions() == mode);
  }
}

TEST_CASE("what is not a regular file is not replaced", "[archive]") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "run.h5");
  fs::create_symlink("elsewhere", folder.path() / "link.h5");
  for (const char* name : {"run.h5", "link.h5"}) {
    const fs::path file = folder.path() / name;
    CHECK(put_problem(file, "new", ErrorCode::usage) ==
          file.string() + ": exists and is not a regular file; name another file");
  }
}

TEST_CASE("a previous generation that cannot be kept stops the replacement", "[archive]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  put(file, "old");
  fs::create_directories(file.string() + ".prev/full");
  CHECK(put_problem(file, "new") == file.string() + ".prev: keeping the previous generation failed: Is a directory");
  CHECK(content_of(file) == "old");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"run.h5", "run.h5.prev"});
}

TEST_CASE("the previous generation stands beside the new one", "[archive]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  put(file, "first");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"run.h5"});
  put(file, "second");
  put(file, "third");
  CHECK(content_of(file) == "third");
  CHECK(content_of(file.string() + ".prev") == "second");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"run.h5", "run.h5.prev"});
}

TEST_CASE("what an earlier crash left is cleared away", "[archive][crash]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  put(file, "old");
  folder.write("run.h5.0123456789abcdef.tmp", std::string("half"));
  fs::create_hard_link(file, file.string() + ".prev");
  fs::create_hard_link(file, file.string() + ".00112233445566ff.tmp");
  const std::vector<std::string> others = {"run.h5.0123456789abcdeF.tmp", "run.h5.0123456789abcde.tmp", "run.h5.tmp",
                                           "xrun.h5.0123456789abcdef.tmp"};
  for (const std::string& name : others) folder.write(name, std::string("another's"));
  const ArchiveLock lock(file);
  put(file, "new");
  CHECK(content_of(file) == "new");
  CHECK(content_of(file.string() + ".prev") == "old");
  std::vector<std::string> left = {"run.h5", "run.h5.lock", "run.h5.prev"};
  left.insert(left.end(), others.begin(), others.end());
  std::sort(left.begin(), left.end());
  CHECK(names_in(folder.path()) == left);
}

TEST_CASE("a writer that is killed at any time leaves a whole file", "[archive][crash]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  const std::string contents[] = {std::string(3000000, 'a'), std::string(3000000, 'b')};
  put(file, contents[0]);
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    if (child == 0)
      for (int i = 0;; ++i) put(file, contents[i % 2]);
    ::usleep(static_cast<useconds_t>(2000 + 1700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string found = content_of(file);
    REQUIRE((found == contents[0] || found == contents[1]));
  }
}

TEST_CASE("read_file reads what was written", "[archive]") {
  const TemporaryFolder folder;
  put(folder.path() / "empty", "");
  CHECK(read_file(folder.path() / "empty").empty());
  put(folder.path() / "full", std::string("a\0b", 3));
  CHECK(read_file(folder.path() / "full").size() == 3);
}

TEST_CASE("a file in use names its holder", "[archive][lock]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  const ArchiveLock lock(file);
  CHECK(archive_error(ErrorCode::usage, [&] { ArchiveLock second(file); }) ==
        file.string() + ": in use by process " + std::to_string(::getpid()) + " (it holds " + file.string() +
            ".lock); wait for it to end, or name another file");
}

TEST_CASE("a lock in a folder that is not there is a usage error", "[archive][lock]") {
  CHECK(archive_error(ErrorCode::usage, [] { ArchiveLock lock("/no/such/run.h5"); }) ==
        "/no/such/run.h5.lock: creating the lock file failed: No such file or directory");
}

TEST_CASE("what is no lock file is neither written nor removed", "[archive][lock][misuse]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "plugins", lock = file.string() + ".lock";
  const fs::path victim = folder.write("victim", std::string("12"));
  const auto refused = [&] {
    CHECK(archive_error(ErrorCode::usage, [&] { ArchiveLock other(file); }) ==
          lock.string() +
              ": expected a lock file, found another file of that name; move it away, or name another "
              "output than " +
              file.string());
    CHECK(fs::exists(fs::symlink_status(lock)));
    CHECK(content_of(victim) == "12");
    fs::remove(lock);
  };
  folder.write("plugins.lock", std::string("{\"format\": 1}"));
  refused();
  fs::create_hard_link(victim, lock);
  refused();
  fs::create_symlink(victim, lock);
  CHECK(archive_error(ErrorCode::usage, [&] { ArchiveLock other(file); }) ==
        lock.string() + ": creating the lock file failed: Too many levels of symbolic links");
  CHECK(content_of(victim) == "12");
}

TEST_CASE("a pipe in the place of a lock file does not hang", "[archive][lock][misuse]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  REQUIRE(::mkfifo((file.string() + ".lock").c_str(), 0600) == 0);
  CHECK(archive_error(ErrorCode::usage, [&] { ArchiveLock lock(file); }).find("expected a lock file") !=
        std::string::npos);
}

TEST_CASE("a lock is free again after its holder's end or death", "[archive][lock]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  { const ArchiveLock lock(file); }
  CHECK_FALSE(fs::exists(file.string() + ".lock"));
  const pid_t child = ::fork();
  if (child == 0) {
    const ArchiveLock lock(file);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  REQUIRE(fs::exists(file.string() + ".lock"));
  CHECK_NOTHROW(ArchiveLock(file));
}

TEST_CASE("the lock outlives the replacement of its file", "[archive][lock]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  const ArchiveLock lock(file);
  put(file, "one");
  put(file, "two");
  CHECK_THROWS_AS(ArchiveLock(file), Error);
}

TEST_CASE("a lock file that the disk cannot take is a failure, not a mistake of the user's", "[archive][lock]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "run.h5";
  const SizeLimit limit(1);
  CHECK(archive_error(ErrorCode::failed, [&] { ArchiveLock lock(file); }) ==
        file.string() + ".lock: writing failed: File too large; free some space, or write to another place");
}
