#include "host/genotype/alphas_file.hpp"

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;

namespace {

std::string problem(const std::string& text) {
  try {
    parse_alphas(text, "a.json");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::bad_data);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("alphas of the space's own names are read, and named where they are missing", "[genotype]") {
  const AlphasFile read = parse_alphas("{\"arch\": [[1, 2]], \"other\": [[3]]}", "a.json", {"arch"});
  REQUIRE(read.cases.at(0).size() == 1);
  CHECK(read.cases[0][0].name == "arch");
  CHECK_THROWS_WITH(parse_alphas("{\"other\": [[3]]}", "a.json", {"arch"}),
                    Catch::Matchers::Contains("or raw_alphas; or the space's own, arch; found other"));
}

TEST_CASE("a file without alphas says which keys it has", "[alphas]") {
  CHECK(problem("{\"probs\": [], \"x\": 1}") ==
        "a.json:1:1: no alphas: expected the keys alphas_normal and alphas_reduce, or alphas, or raw_alphas; found "
        "probs, x");
  CHECK(problem("3") == "a.json:1:1: expected a case of alphas, an object, found 3");
  CHECK(problem("[]") == "a.json:1:1: expected at least one case of alphas, found an empty list");
  CHECK(problem("[3]") == "a.json:1:2: expected a case of alphas, an object, found 3");
  CHECK(problem("{\"cases\": 3}") == "a.json:1:11: cases: expected a list, found 3");
}

TEST_CASE("alphas that are not rectangles of numbers are refused with their line", "[alphas]") {
  CHECK(problem("{\"alphas\": 3}") == "a.json:1:12: alphas: expected a list, found 3");
  CHECK(problem("{\"alphas\": []}") == "a.json:1:12: alphas: expected at least one row, found an empty list");
  CHECK(problem("{\"alphas\": [[]]}") == "a.json:1:13: alphas: expected at least one row, found an empty list");
  CHECK(problem("{\"alphas\": [[1, 2],\n[1]]}") ==
        "a.json:2:1: alphas: expected 2 numbers as in the first row, found 1");
  CHECK(problem("{\"alphas\": [[1,\n\"2\"]]}") == "a.json:2:1: alphas: expected a number, found text '2'");
  CHECK(problem("{\"alphas\": [[1, null]]}") == "a.json:1:17: alphas: expected a number, found null");
  CHECK(problem("{\"alphas\": [[[1]], [[1], [2]]]}") ==
        "a.json:1:20: alphas, cell 1: expected 1 rows as in the first cell, found 2");
  CHECK(problem("{\"alphas\": [[1e999]]}") == "a.json:1:14: the number 1e999 is too large; the largest is 1.7976931348623157e308");
}

TEST_CASE("alphas that are given twice are refused", "[alphas]") {
  CHECK(problem("{\"alphas\": [[1]], \"raw_alphas\": [[1]]}") ==
        "a.json:1:33: alphas: given twice in one case (raw_alphas means alphas); remove one");
}

TEST_CASE("shared alphas are read row by row", "[alphas]") {
  const AlphasFile file =
      parse_alphas("{\"scale\": 1, \"alphas_normal\": [[1, 2.5], [-3, 4]], \"alphas_reduce\": [[5]]}", "a.json");
  REQUIRE(file.cases.size() == 1);
  CHECK_FALSE(file.is_list);
  const RawAlphas& normal = file.cases[0].at(0);
  CHECK(normal.name == "alphas_normal");
  CHECK(normal.cells == 0);
  CHECK(normal.edges == 2);
  CHECK(normal.operations == 2);
  CHECK(normal.values == std::vector<double>{1, 2.5, -3, 4});
  CHECK(file.cases[0].at(1).name == "alphas_reduce");
}

TEST_CASE("raw_alphas means alphas, as a list and as an object", "[alphas]") {
  const AlphasFile list =
      parse_alphas("{\"raw_alphas\": [[[1, 2]], [[3, 4]], [[5, 6]]], \"probs\": \"any\"}", "a.json");
  CHECK(list.cases[0].at(0).name == "alphas");
  CHECK(list.cases[0].at(0).cells == 3);
  CHECK(list.cases[0].at(0).edges == 1);
  CHECK(list.cases[0].at(0).values == std::vector<double>{1, 2, 3, 4, 5, 6});
  const AlphasFile object =
      parse_alphas("{\"raw_alphas\": {\"alphas_normal\": [[1]], \"alphas_reduce\": [[2]]}}", "a.json");
  CHECK(object.cases[0].size() == 2);
}

TEST_CASE("lists of cases are read from a list and from the key cases", "[alphas]") {
  const AlphasFile list = parse_alphas("[{\"alphas\": [[1]]}, {\"alphas\": [[2, 3]]}]", "a.json");
  CHECK(list.is_list);
  REQUIRE(list.cases.size() == 2);
  CHECK(list.cases[1][0].operations == 2);
  const mixop::test::TemporaryFolder folder;
  const AlphasFile keyed =
      read_alphas_file(folder.write("a.json", std::string("{\"note\": \"\", \"cases\": [{\"alphas\": [[1]]}]}")));
  CHECK(keyed.is_list);
  CHECK(keyed.cases.size() == 1);
}
