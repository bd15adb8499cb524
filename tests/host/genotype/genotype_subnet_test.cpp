#include "host/genotype/genotype_subnet.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_text.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

/// The cell "normal" of two nodes, the second of which names its newest edge first, and an operation that no node
/// chooses.
constexpr char kYaml[] = R"(# a comment
normal_n3:
  chosen: [normal_n3_p2, normal_n3_p0]
normal_n2:
  chosen:
  - normal_n2_p0
  - normal_n2_p1
normal_n2_p0: {chosen: [sep_conv_3x3]}
normal_n2_p1: {chosen: skip_connect, space_id: 4}
normal_n3_p0: {chosen: [max_pool_3x3]}
normal_n3_p1: {chosen: [none]}
normal_n3_p2: {chosen: [dil_conv_5x5]}
)";

std::string refusal(const std::string& yaml) {
  try {
    (void)genotype_of_subnet(yaml, "a.yaml", ErrorCode::bad_data);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::bad_data);
    return error.what();
  }
  return "accepted";
}

TEST_CASE("a subnet's chosen edges are genes in the order in which the nodes choose them", "[genotype]") {
  const Genotype genotype = genotype_of_subnet(kYaml, "a.yaml", ErrorCode::bad_data);
  REQUIRE(genotype.cells.size() == 1);
  CHECK(genotype.cells[0].name == "normal");
  CHECK(genotype.cells[0].concat == std::vector<int>{2, 3});
  CHECK(genotype.cells[0].genes ==
        std::vector<Gene>{
            {"sep_conv_3x3", 0, 2}, {"skip_connect", 1, 2}, {"dil_conv_5x5", 2, 3}, {"max_pool_3x3", 0, 3}});
  CHECK(genotype_from_text(kYaml, "a.yaml", "", ErrorCode::bad_data).genotype == genotype);
}

TEST_CASE("a genotype written as a subnet comes back the same", "[genotype]") {
  const Genotype genotype = genotype_of_subnet(kYaml, "a.yaml", ErrorCode::bad_data);
  const std::string yaml = genotype_to_subnet(genotype);
  CHECK(yaml.starts_with(
      "normal_n2:\n  chosen:\n  - normal_n2_p0\n  - normal_n2_p1\nnormal_n2_p0:\n  chosen:\n  - sep_conv_3x3\n"));
  CHECK(genotype_of_subnet(yaml, "b.yaml", ErrorCode::bad_data) == genotype);
}

TEST_CASE("what a subnet cannot hold is said", "[genotype]") {
  const auto written = [](const Genotype& genotype) { (void)genotype_to_subnet(genotype); };
  Genotype genotype = genotype_of_subnet(kYaml, "a.yaml", ErrorCode::bad_data);
  genotype.cells[0].concat = {3};
  CHECK_THROWS_WITH(
      written(genotype),
      "cell 'normal': MMRazor's subnet cannot hold nodes that are no part of the output, or inputs that are");
  genotype.cells[0].concat = {2, 3};
  genotype.cells[0].genes[1].from = 0;
  CHECK_THROWS_WITH(written(genotype),
                    "cell 'normal': MMRazor's subnet cannot hold two operations from node 0 to node 2");
  genotype.cells[0].name = "0";
  CHECK_THROWS_WITH(written(genotype), "cell '0': MMRazor's subnet cannot hold cells by position");
}

TEST_CASE("texts that are no sound subnet are refused with their line", "[genotype][misuse]") {
  const std::string expected = "expected MMRazor's fix-subnet YAML, found ";
  CHECK(refusal("a_n2: {chosen: [a_n2_p0]}") == "a.yaml:1: " + expected + "'a_n2_p0', which has no operation");
  CHECK(refusal("a_n2: {chosen: [a_n2_p0]}\na_n2_p0: {chosen: [x, y]}") ==
        "a.yaml:2: " + expected + "'a_n2_p0' with 2 operations; expected one");
  CHECK(refusal("a_n2: {chosen: [a_n2_p2]}\na_n2_p2: {chosen: [x]}") ==
        "a.yaml:1: " + expected + "'a_n2_p2', which is no edge to 'a_n2'");
  CHECK(refusal("a_n2: {chosen: [b_n2_p0]}\nb_n2_p0: {chosen: [x]}") ==
        "a.yaml:1: " + expected + "'b_n2_p0', which is no edge to 'a_n2'");
  CHECK(refusal("a_n2: {chosen: []}\na_n2: {chosen: []}") == "a.yaml:2: " + expected + "'a_n2' a second time");
  CHECK(refusal("first: {chosen: []}") ==
        "a.yaml:1: " + expected + "'first'; expected CELL_nNODE or CELL_nNODE_pFROM, with nodes from 2 on");
  CHECK(refusal("a_n2: &x {chosen: []}") == "a.yaml:1: " + expected + "an anchor (&), which is not read");
  CHECK(refusal("a_n2: {chosen: [*x]}").starts_with("a.yaml:1: " + expected));
  CHECK(refusal("? {a: b}\n: {chosen: []}") == "a.yaml:1: " + expected + "a key that is no text");
  CHECK(refusal("a_n2: {chosen: [a_n2_p0]}\na_n2_p0: {chosen: ['x\"y']}").starts_with("a.yaml: "));
  CHECK(refusal("a_n2: {chosen: [a_n2_p0, a_n2_p0]}\na_n2_p0: {chosen: [x]}") ==
        "a.yaml:1: " + expected + "'a_n2_p0' chosen twice");
  CHECK(refusal("a_n2:\n  chosen: []\n  chosen: []") == "a.yaml:3: " + expected + "'chosen' a second time");
  CHECK(refusal("a_n02: {chosen: []}").starts_with("a.yaml:1: " + expected + "'a_n02'; expected CELL_nNODE"));
  CHECK(refusal("a_n2: {chosen: []}\n---\nb_n2: {chosen: []}") ==
        "a.yaml:3: " + expected + "a second document; keep one genotype a file");
  CHECK(refusal("a_n2:\n- chosen") == "a.yaml:2: " + expected + "a list where KEY: {chosen: [...]} is expected");
  CHECK(refusal("a_n2:\n  chosen: [[[[[]]]]]") ==
        "a.yaml:2: " + expected + "something that lies deeper than KEY: {chosen: [...]}");
  CHECK(refusal("a_n2: {chosen: [").starts_with("a.yaml:1: " + expected + "text that is no YAML: "));
  CHECK_THAT(refusal(std::string(2 << 20, ' ')), Catch::Contains("2097152 bytes; at most 1048576 are read"));
  CHECK_THAT(refusal("a_n2: {chosen: " + std::string(100000, '[')), Catch::Contains("a.yaml:1: "));
}

}  // namespace
