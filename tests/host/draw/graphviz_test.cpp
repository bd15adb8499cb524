#include "host/draw/graphviz.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace {

using namespace mixop;

constexpr const char* kGraph = "digraph g { a -> b; }";

/// PATH as it was, when the test is over.
struct PathGuard {
  ~PathGuard() { setenv("PATH", kept.c_str(), 1); }
  std::string kept = std::getenv("PATH");
};

TEST_CASE("a picture has the format of its ending", "[draw]") {
  const test::TemporaryFolder folder;
  const auto begins = [&](const char* name, const std::string& mark) {
    CHECK(write_picture(kGraph, folder.path() / name) == folder.path() / name);
    std::string start(mark.size(), ' ');
    std::ifstream(folder.path() / name, std::ios::binary)
        .read(start.data(), static_cast<std::streamsize>(start.size()));
    CHECK(start == mark);
  };
  begins("a.svg", "<?xml");
  begins("a.png", "\x89PNG");
  begins("a.pdf", "%PDF");
  begins("a.dot", "digraph");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 4);
}

TEST_CASE("without Graphviz the graph itself is written", "[draw]") {
  const test::TemporaryFolder folder;
  const PathGuard guard;
  setenv("PATH", folder.path().c_str(), 1);
  CHECK(write_picture(kGraph, folder.path() / "a.svg") == folder.path() / "a.dot");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "a.svg"));
}

TEST_CASE("a graph that Graphviz does not understand leaves no picture", "[draw][misuse]") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(write_picture("digraph {", folder.path() / "a.svg"),
                    Catch::Matchers::Contains("Graphviz ended with status"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a picture that cannot be drawn or written leaves the old one", "[draw][misuse]") {
  const test::TemporaryFolder folder;
  for (const char* name : {"a.svg", "b.png", "c.dot"}) {
    const auto picture = folder.write(name, std::string("old"));
    if (picture.extension() != ".dot") CHECK_THROWS_AS(write_picture("digraph {", picture), Error);
    struct rlimit before {};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const struct rlimit nothing = {1, before.rlim_max};
    void (*handler)(int) = ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &nothing);
    CHECK_THROWS_AS(write_picture(kGraph, picture), Error);
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, handler);
    CHECK(test::content_of(picture) == "old");
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 3);
}

TEST_CASE("another ending and an unwritable place are refused", "[draw][misuse]") {
  CHECK_THROWS_WITH(write_picture(kGraph, "a.gif"), "a.gif: pictures end in .svg, .png, .pdf or .dot");
  CHECK_THROWS_WITH(write_picture(kGraph, "/nowhere/a.svg"), Catch::Matchers::Contains("cannot be written"));
}

TEST_CASE("a folder is no place for a picture, and nothing is left beside it", "[draw][misuse]") {
  const test::TemporaryFolder folder;
  for (const char* name : {"a.svg", "b.dot"}) {
    std::filesystem::create_directory(folder.path() / name);
    CHECK_THROWS_WITH(write_picture(kGraph, folder.path() / name),
                      (folder.path() / name).string() + ": cannot be written: it is a folder; name a file in it");
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

}  // namespace
