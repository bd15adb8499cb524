#include <cstdlib>

#include "host/archive/archive.hpp"
#include "tests/catch.hpp"
#include "tests/host/archive/sample_archive.hpp"

using namespace mixop;
using test::archive_error;

TEST_CASE("names that would land elsewhere in an archive are refused", "[archive]") {
  const std::string reason =
      "' cannot be a name in an archive: it must be UTF-8, not empty, '.' or '..', nor hold '/' or control "
      "characters";
  for (const std::string name : {"", ".", "..", "a/b", "/a"})
    CHECK(archive_error(ErrorCode::usage, [&] { archive_path("/weights", name); }) == "'" + name + reason);
  // Shown as a terminal and JSON can take it.
  CHECK(archive_error(ErrorCode::usage, [] { archive_path("/", "a\nb"); }) == "'a?b" + reason);
  CHECK(archive_error(ErrorCode::usage, [] { archive_path("/", "\xff\x1b[1m"); }) == "'??[1m" + reason);
  CHECK(archive_error(ErrorCode::usage, [] { archive_path("/", "\xc3\xa4\n"); }) == "'\xc3\xa4?" + reason);
  CHECK(archive_path("/", "\xc3\xa4") == "/\xc3\xa4");
  CHECK(archive_path("/weights", "cells.0._ops.1.weight") == "/weights/cells.0._ops.1.weight");
  CHECK(archive_path("/", "alphas") == "/alphas");
}

TEST_CASE("paths that are no paths are refused", "[archive]") {
  ArchiveBuilder archive;
  for (const std::string path : {"", "/", "a", "/a/", "//a", "/a//b"})
    CHECK(archive_error(ErrorCode::failed, [&] { archive.text(path, "x"); }) ==
          "archive path '" + path + "': expected /group/name");
}

TEST_CASE("what is already there is not overwritten", "[archive]") {
  ArchiveBuilder archive;
  archive.text("/a/b", "x");
  CHECK(archive_error(ErrorCode::failed, [&] { archive.text("/a/b", "y"); }) == "archive /a/b: is already there");
  CHECK(archive_error(ErrorCode::failed, [&] { archive.text("/a", "y"); }) == "archive /a: is already there");
  CHECK(archive_error(ErrorCode::failed, [&] {
          archive.text("/a/b/c", "y");
        }).rfind("archive /a/b: creating failed: ", 0) == 0);
}

TEST_CASE("arrays whose numbers do not add up are refused", "[archive]") {
  ArchiveBuilder archive;
  const std::vector<float> values(5);
  CHECK(archive_error(ErrorCode::failed, [&] {
          archive.array<float>("/a", {2, 3}, values);
        }) == "/a: 5 values for 6 places");
  CHECK(archive_error(ErrorCode::failed, [&] {
          archive.array("/a", ElementType::uint8, std::vector<std::uint64_t>(9, 1), "x");
        }) == "archive /a: 9 dimensions; at most 8");
}

TEST_CASE("texts that no reader would take are refused", "[archive]") {
  ArchiveBuilder archive;
  for (const std::string& text : {std::string("a\0b", 3), std::string("a\xff"), std::string("\xc3")}) {
    CHECK(archive_error(ErrorCode::failed, [&] { archive.text("/a", text); }) ==
          "archive /a: a text that is not UTF-8, holds a NUL or is longer than 1 GiB");
    CHECK(archive_error(ErrorCode::failed, [&] { archive.attribute("/", "a", text); }) ==
          "archive /@a: a text that is not UTF-8, holds a NUL or is longer than 1 MiB");
  }
  const std::string most(std::size_t{1} << 20, 'x');
  CHECK_NOTHROW(archive.attribute("/", "long", most));
  CHECK(archive_error(ErrorCode::failed, [&] {
          archive.attribute("/", "longer", most + "x");
        }).rfind("archive /@longer", 0) == 0);
}

TEST_CASE("attributes and scales of what is not there are refused", "[archive]") {
  ArchiveBuilder archive;
  CHECK(archive_error(ErrorCode::failed, [&] {
          archive.attribute("/a", "x", 1.0);
        }).rfind("archive /a@x: opening failed: ", 0) == 0);
  CHECK(archive_error(ErrorCode::failed, [&] {
          archive.scale("/a", 0, "/b", "x");
        }).rfind("archive /b: opening failed: ", 0) == 0);
}

TEST_CASE("two archives of the same content are the same bytes", "[archive]") {
  const auto first = test::sample_archive().finish();
  void* noise = std::malloc(std::size_t{8} << 20);
  std::memset(noise, 0xab, std::size_t{8} << 20);
  std::free(noise);
  CHECK(first == test::sample_archive().finish());
  CHECK(first != test::sample_archive(0.75).finish());
}

TEST_CASE("an archive carries no slack", "[archive]") { CHECK(test::sample_archive().finish().size() < 16384); }

TEST_CASE("six thousand small arrays take little more than their content", "[archive]") {
  const std::vector<float> values(256, 1.5f);
  ArchiveBuilder archive;
  for (int i = 0; i < 6000; ++i)
    archive.array<float>(archive_path("/weights", "cells." + std::to_string(i) + ".weight"), {16, 16}, values);
  CHECK(archive.finish().size() < 6000 * (1024 + 512));
}
