#include "host/files/output.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using test::content_of;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

template <class Body>
std::string usage_error(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
    return error.what();
  }
  return "";
}

std::string problem_of(const fs::path& file) {
  return usage_error([&] { require_writable(file); });
}

std::string apart(const fs::path& archive, const fs::path& metrics) {
  return usage_error([&] { require_apart({{archive, "--out"}, {metrics, "--metrics"}}); });
}

}  // namespace

TEST_CASE("names to which no file can be written are refused beforehand", "[files][misuse]") {
  const TemporaryFolder folder;
  const std::string start = folder.path().string();
  CHECK(problem_of("") == "an empty name cannot be written; name a file");
  CHECK(problem_of(start) == start + ": cannot be written: it is a folder; name a file in it");
  CHECK(problem_of(start + "/") == start + "/: cannot be written: it is a folder; name a file in it");
  CHECK(problem_of(start + "/no/a") ==
        start + "/no/a: cannot be written: the folder " + start + "/no does not exist; make it first");
  const std::string longest = start + "/" + std::string(300, 'x');
  CHECK(problem_of(longest) == longest + ": cannot be written: the name is too long; name a shorter one");
  const std::string rather = start + "/" + std::string(250, 'x');  // what is written beside it has longer names
  CHECK(problem_of(rather) ==
        rather +
            ": cannot be written: creating failed: File name too long; name a shorter one, or one in a folder that "
            "you may write to");
  CHECK(problem_of("/proc/a").rfind("/proc/a: cannot be written: creating failed: ", 0) == 0);
  CHECK(problem_of(start + "/a").empty());
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("links, pipes and devices are no outputs", "[files][misuse]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a", victim = folder.write("victim", std::string("mine"));
  const std::string refused =
      ": cannot be written: it is a link, a pipe or a device; name a regular file, which can be "
      "replaced whole";
  fs::create_symlink(victim, file);
  CHECK(problem_of(file) == file.string() + refused);
  CHECK(usage_error([&] { write_text("x", file); }) == file.string() + refused);
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(problem_of(file) == file.string() + refused);
  CHECK(usage_error([&] { write_text("x", file); }) == file.string() + refused);
  CHECK(problem_of("/dev/full") == "/dev/full" + refused);
  CHECK(content_of(victim) == "mine");
}

TEST_CASE("a text replaces a file whole, and not what has another name of it", "[files]") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a", other = folder.write("other", std::string("mine"));
  fs::create_hard_link(other, file);
  write_text("new", file);
  CHECK(content_of(file) == "new");
  CHECK(content_of(other) == "mine");
}

TEST_CASE("outputs of one run that are in each other's way are refused", "[files][misuse]") {
  const TemporaryFolder folder;
  const fs::path archive = folder.path() / "run.h5";
  CHECK(apart(archive, folder.path() / "x" / ".." / "run.h5") == "--metrics: " + folder.path().string() +
                                                                     "/x/../run.h5 is " + archive.string() +
                                                                     ", which --out names; name another file");
  for (const char* end : {".tmp", ".lock", ".prev", ".prev.tmp", ".0123456789abcdef.tmp"})
    CHECK(apart(archive, archive.string() + end) == "--metrics: " + archive.string() + end +
                                                        " is a name that is kept for what is written beside " +
                                                        archive.string() + ", which --out names; name another file");
  fs::create_directory_symlink(folder.path(), folder.path() / "link");
  CHECK_FALSE(apart(archive, folder.path() / "link" / "run.h5").empty());
  for (const char* name : {"run.h5.jsonl", "run.jsonl", "run", "metrics.prev"})
    CHECK(apart(archive, folder.path() / name).empty());
}
