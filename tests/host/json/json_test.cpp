#include "host/json/json.hpp"

#include <filesystem>
#include <fstream>

#include "tests/catch.hpp"

using namespace mixop;
using Kind = JsonValue::Kind;

namespace {

std::string problem(const std::string& text) {
  try {
    parse_json(text, "f.json", ErrorCode::usage);
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::usage);
    return e.what();
  }
  return "";
}

std::string file_problem(const std::filesystem::path& path) {
  try {
    parse_json_file(path, ErrorCode::bad_data);
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::bad_data);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("malformed JSON is refused with its line and column", "[json]") {
  CHECK(problem("{\n  \"a\": 1,\n  \"b\": }") == "f.json:3:8: malformed JSON: Invalid value.");
  CHECK(problem("") == "f.json:1:1: malformed JSON: The document is empty.");
  CHECK(problem("[1, 2") == "f.json:1:6: malformed JSON: Missing a comma or ']' after an array element.");
  CHECK(problem("{} {}") == "f.json:1:4: malformed JSON: The document root must not be followed by other values.");
  CHECK(problem("[NaN]") == "f.json:1:2: malformed JSON: Invalid value.");
  CHECK(problem("[1e999]") == "f.json:1:2: the number 1e999 is too large; the largest is 1.7976931348623157e308");
  CHECK(problem("\"\xff\"") == "f.json:1:2: malformed JSON: Invalid encoding in string.");
  CHECK(problem(std::string("{}\0", 3)) == "f.json:1:3: malformed JSON: a NUL byte");
}

TEST_CASE("what people take for JSON is named", "[json]") {
  const std::string comment = "malformed JSON: a comment, of which JSON has none; remove it";
  CHECK(problem("{\n  // the seed\n  \"seed\": 1}") == "f.json:2:3: " + comment);
  CHECK(problem("{\"seed\": 1 /* one */}") == "f.json:1:12: " + comment);
  CHECK(problem("# a comment\n{}") == "f.json:1:1: " + comment);
  CHECK(problem("seed: 1\nspace:\n  layers: 8\n") ==
        "f.json:1:1: malformed JSON: Invalid value. This is YAML; expected JSON.");
  CHECK(problem("---\n- a\n").find("This is YAML") != std::string::npos);
}

TEST_CASE("a duplicate key is refused at its second place", "[json]") {
  CHECK(problem("{\"a\": 1,\n \"a\": 2}") == "f.json:2:2: key 'a' appears twice; remove one");
  CHECK(problem("{\"a\": {\"b\": 1}, \"b\": 2}").empty());
}

TEST_CASE("nesting is bounded", "[json]") {
  CHECK(problem(std::string(64, '[') + std::string(64, ']')).empty());
  CHECK(problem(std::string(100000, '[')) == "f.json:1:65: nested more than 64 levels deep");
}

TEST_CASE("the number of values is bounded", "[json]") {
  std::string many = "[0";
  for (int i = 0; i < 4'000'000; ++i) many += ",0";
  CHECK(problem(many + "]").find("more than 4000000 values") != std::string::npos);
}

TEST_CASE("files that cannot be read are refused", "[json]") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  CHECK(file_problem(folder / "mixop-absent.json") == (folder / "mixop-absent.json").string() + ": no such file");
  CHECK(file_problem(folder) == folder.string() + ": a folder, not a file");
  const std::filesystem::path large = folder / "mixop-large.json";
  std::ofstream(large).close();
  std::filesystem::resize_file(large, (std::uintmax_t{32} << 20) + 1);
  CHECK(file_problem(large) == large.string() + ": 33554433 bytes; a text may have 33554432 at most");
  std::filesystem::remove(large);
}

TEST_CASE("values know where they begin", "[json]") {
  const JsonValue root =
      parse_json("{\"text\": \"a\\\\\\\"b\",\n  \"list\": [1, -2.5e1, true],\n\"o\":{ }}", "f", ErrorCode::usage);
  CHECK(json_place("f", root) == "f:1:1");
  CHECK(json_place("f", root.members[0]) == "f:1:2");
  CHECK(json_place("f", root.members[0].value) == "f:1:10");
  CHECK(json_place("f", root.members[1].value) == "f:2:11");
  CHECK(json_place("f", root.members[1].value.items[1]) == "f:2:15");
  CHECK(json_place("f", root.members[1].value.items[2]) == "f:2:23");
  CHECK(json_place("f", root.members[2].value) == "f:3:5");
  CHECK(root.find("text")->text == "a\\\"b");
  CHECK(root.find("absent") == nullptr);
}

TEST_CASE("numbers keep their kind", "[json]") {
  const JsonValue root = parse_json("[1, 1.0, 9223372036854775807, 9223372036854775808, null]", "f", ErrorCode::usage);
  CHECK(root.items[0].is(Kind::integer));
  CHECK(root.items[1].is(Kind::real));
  CHECK(root.items[2].integer == 9223372036854775807);
  CHECK(root.items[3].is(Kind::real));
  CHECK(root.items[3].describe() == "9223372036854775808");
  CHECK(root.items[4].describe() == "null");
  CHECK(root.describe() == "a list of 5 items");
}
