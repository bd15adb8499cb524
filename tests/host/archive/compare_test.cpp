#include "host/archive/compare.hpp"

#include <ctime>

#include "tests/catch.hpp"
#include "tests/host/archive/sample_archive.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;

namespace {

std::vector<std::string> differences(ArchiveBuilder first, ArchiveBuilder second) {
  const test::TemporaryFolder folder;
  const Archive a = Archive::open(folder.write("a.h5", first.finish()));
  const Archive b = Archive::open(folder.write("b.h5", second.finish()));
  std::vector<std::string> lines;
  for (const ArchiveDifference& difference : compare_archives(a, b))
    lines.push_back(difference.path + ": " + difference.what);
  return lines;
}

ArchiveBuilder small(const std::vector<std::pair<std::string, std::vector<float>>>& arrays) {
  ArchiveBuilder archive;
  for (const auto& [path, values] : arrays) archive.array<float>(path, {values.size()}, values);
  return archive;
}

}  // namespace

TEST_CASE("equal archives have no differences", "[archive]") {
  CHECK(differences(test::sample_archive(), test::sample_archive()).empty());
}

TEST_CASE("differing values and attributes are listed with their paths", "[archive]") {
  CHECK(differences(test::sample_archive(0.5), test::sample_archive(0.75)) ==
        std::vector<std::string>{"/metrics/loss@best: values differ",
                                 "/metrics/loss: 1 of 2 values, the largest by 0.25"});
}

TEST_CASE("what only one archive has is listed", "[archive]") {
  CHECK(differences(small({{"/a", {1}}, {"/b", {1}}}), small({{"/b", {1}}, {"/c/d", {1}}})) ==
        std::vector<std::string>{"/a: only in the first", "/c: only in the second"});
  ArchiveBuilder first, second;
  first.attribute("/", "x", 1.0);
  second.attribute("/", "y", 1.0);
  CHECK(differences(std::move(first), std::move(second)) ==
        std::vector<std::string>{"/@x: only in the first", "/@y: only in the second"});
}

TEST_CASE("kinds, types, shapes and texts that differ are told apart", "[archive]") {
  ArchiveBuilder first, second;
  const std::vector<float> floats(2);
  const std::vector<double> doubles(2);
  first.array<float>("/type", {2}, floats);
  second.array<double>("/type", {2}, doubles);
  first.array<float>("/shape", {2}, floats);
  second.array<float>("/shape", {1, 2}, floats);
  first.texts("/texts", {"a", "b"});
  second.texts("/texts", {"a", "c"});
  first.texts("/count", {"a"});
  second.texts("/count", {"a", "b"});
  first.group("/kind");
  second.text("/kind", "a");
  CHECK(differences(std::move(first), std::move(second)) ==
        std::vector<std::string>{"/type: type float32 against float64", "/shape: shape [2] against [1, 2]",
                                 "/texts: text 1 differs", "/count: 1 texts against 2", "/kind: kinds differ"});
}

TEST_CASE("the order of a group's members counts", "[archive]") {
  CHECK(differences(small({{"/a", {1}}, {"/b", {1}}}), small({{"/b", {1}}, {"/a", {1}}})) ==
        std::vector<std::string>{"/: the members' order differs"});
}

TEST_CASE("values that are equal as numbers but not as bits differ", "[archive]") {
  CHECK(differences(small({{"/a", {0.0f}}}), small({{"/a", {-0.0f}}})) ==
        std::vector<std::string>{"/a: 1 of 1 values, the largest by 0"});
}

TEST_CASE("the time of a comparison grows with the archives, not with their square", "[archive]") {
  const test::TemporaryFolder folder;
  const auto seconds = [&](int count) {
    ArchiveBuilder builder;
    for (int i = 0; i < count; ++i) builder.attribute("/", "name" + std::to_string(i), std::int64_t{i});
    const Archive archive = Archive::open(folder.write("a.h5", builder.finish()));
    const std::clock_t start = std::clock();
    CHECK(compare_archives(archive, archive).empty());
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  const double few = seconds(2000), many = seconds(40000);
  INFO(few << " s and " << many << " s");
  CHECK(many < 50 * few);
}
