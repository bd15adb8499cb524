#include "host/files/new_file.hpp"

#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using test::content_of;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::ptrdiff_t count_in(const fs::path& folder) { return std::distance(fs::directory_iterator(folder), {}); }

}  // namespace

TEST_CASE("a new file is gone again unless it took its target's place", "[files]") {
  const TemporaryFolder folder;
  const fs::path target = folder.write("a", std::string("old"));
  {
    NewFile file(target);
    file.write(bytes("half"));
    CHECK(count_in(folder.path()) == 2);
    CHECK(file.path() != target);
  }
  CHECK(content_of(target) == "old");
  CHECK(count_in(folder.path()) == 1);
  NewFile file(target);
  file.write(bytes("new"));
  file.replace_target();
  CHECK(content_of(target) == "new");
  CHECK(count_in(folder.path()) == 1);
}

TEST_CASE("nobody else may read what takes the place of a private file, while it is written", "[files]") {
  const TemporaryFolder folder;
  const fs::path target = folder.write("a", std::string("old"));
  fs::permissions(target, fs::perms(0600));
  const NewFile file(target);
  CHECK(fs::status(file.path()).permissions() == fs::perms(0600));
}

TEST_CASE("leftovers are removed unless somebody writes them", "[files]") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "a";
  const NewFile written(target);
  const fs::path left = temporary_name(target), pipe = temporary_name(target), other = folder.path() / "a.tmp";
  folder.write(left.filename(), std::string("x"));
  folder.write("a.tmp", std::string("x"));
  fs::create_symlink("elsewhere", temporary_name(target));
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  remove_leftovers(target);
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(written.path()));
  CHECK(fs::exists(other));
  CHECK(count_in(folder.path()) == 4);
}

TEST_CASE("two names are never the same", "[files]") { CHECK(temporary_name("a") != temporary_name("a")); }
