#include "host/fetch/published.hpp"

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;

namespace {

const std::string kDigest(64, 'a');
const std::string kWhole = R"({"summary": "s", "page": "p", "folder": "d", "files": [
  {"name": "a.txt", "addresses": ["https://host/a.txt"], "sha256": ")" + kDigest + R"(", "bytes": 7}]})";

PublishedData read(const std::string& text) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "example.json") << text;
  return read_published(folder.path() / "example.json");
}

std::string with(std::string text, const std::string& old, const std::string& replacement) {
  return text.replace(text.find(old), old.size(), replacement);
}

}  // namespace

TEST_CASE("a published data set is read", "[fetch]") {
  const PublishedData data = read(kWhole);
  CHECK(data.name == "example");
  REQUIRE(data.files.size() == 1);
  CHECK(data.files[0].bytes == 7);
  CHECK(read(with(kWhole, ", \"bytes\": 7", "")).files[0].bytes == 0);
}

TEST_CASE("mistakes in a published data set name their places", "[fetch]") {
  const std::string file = kWhole.substr(kWhole.find("{\"name\""), kWhole.rfind(']') - kWhole.find("{\"name\""));
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"\"page\"", "\"pge\"", "1:18: unknown key 'pge'; did you mean 'page'"},
      {file, file + ", " + file, "name: two files are named 'a.txt'"},
      {"a.txt\", \"addr", "../a\", \"addr", "name: expected a plain file name, found '../a'"},
      {"a.txt\", \"addr", "unpacked\", \"addr", "name: 'unpacked' is kept for what is unpacked"},
      {"https://host/a.txt", "ftp://host/a.txt", "addresses: expected https://... or http://..."},
      {kDigest, "abc", "sha256: expected 64 lower-case hex digits, found 'abc'"},
      {"\"bytes\": 7", "\"bytes\": 0", "bytes: expected a number of bytes from 1 to"},
      {"\"bytes\": 7", "\"unpack\": \"../x\"", "unpack: '../x' "}};
  for (const auto& [old, replacement, message] : cases)
    CHECK_THROWS_WITH(read(with(kWhole, old, replacement)), Catch::Matchers::Contains(message));
}
