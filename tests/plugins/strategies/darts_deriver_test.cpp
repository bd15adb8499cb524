#include <ATen/ATen.h>

#include "host/genotype/alphas_file.hpp"
#include "host/search/archived_run.hpp"
#include "tests/catch.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;

at::Tensor tensor_of(const JsonValue& rows) {
  std::vector<double> values;
  for (const JsonValue& row : rows.items)
    for (const JsonValue& value : row.items) values.push_back(value.number);
  return at::tensor(values, at::kDouble).view({static_cast<std::int64_t>(rows.items.size()), -1});
}

std::vector<Gene> genes_of(const JsonValue& list) {
  std::vector<Gene> genes;
  for (const JsonValue& pair : list.items)
    genes.push_back(
        {pair.items[0].text, static_cast<int>(pair.items[1].integer), 2 + static_cast<int>(genes.size()) / 2});
  return genes;
}

Genotype derived(const at::Tensor& normal, const at::Tensor& reduce, const std::vector<std::string>& operations) {
  SpaceConfig config;
  config.operations = operations;
  config.nodes = test::StoredSupernet::nodes_for(normal.size(0));
  return derive({test::darts_space()->search(config).alphas, {normal, reduce}},
                *make_part<Relaxation>(test::plugins(), "softmax", {}),
                *make_part<Deriver>(test::plugins(), "darts", {}), {})
      .genotype;
}

TEST_CASE("the published rule derives every stored CNN genotype", "[strategy][parity]") {
  const JsonValue stored = parse_json_file(test::path_of_optional("f_genotypes_cnn.json"), ErrorCode::bad_data);
  std::vector<std::string> operations;
  for (const JsonValue& name : stored.find("primitives")->items) operations.push_back(name.text);
  const auto& cases = stored.find("cases")->items;
  REQUIRE(cases.size() >= 100);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("case " << i);
    const Genotype genotype =
        derived(tensor_of(*cases[i].find("alphas_normal")), tensor_of(*cases[i].find("alphas_reduce")), operations);
    REQUIRE(genotype.cells.size() == 2);
    CHECK((genotype.cells[0].genes == genes_of(*cases[i].find("normal"))));
    CHECK((genotype.cells[1].genes == genes_of(*cases[i].find("reduce"))));
  }
}

TEST_CASE("the published rule derives every stored RNN genotype", "[strategy][parity]") {
  const JsonValue stored = parse_json_file(test::path_of_optional("f_genotypes_rnn.json"), ErrorCode::bad_data);
  SpaceConfig config;
  config.nodes = stored.find("STEPS")->integer;
  for (const JsonValue& name : stored.find("primitives")->items) config.operations.push_back(name.text);
  const auto space = make_part<SearchSpace>(test::plugins(), "darts_rnn", {});
  const auto relaxation = make_part<Relaxation>(test::plugins(), "softmax", {});
  const auto deriver = make_part<Deriver>(test::plugins(), "darts", {});
  const auto& cases = stored.find("cases")->items;
  REQUIRE(cases.size() >= 100);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("case " << i);
    const Genotype genotype =
        derive({space->search(config).alphas, {tensor_of(*cases[i].find("alphas"))}}, *relaxation, *deriver, {}).genotype;
    REQUIRE(genotype.cells.size() == 1);
    std::vector<Gene> expected;
    for (const JsonValue& pair : cases[i].find("recurrent")->items)
      expected.push_back(
          {pair.items[0].text, static_cast<int>(pair.items[1].integer), 1 + static_cast<int>(expected.size())});
    CHECK((genotype.cells[0].genes == expected));
    CHECK(genotype.cells[0].concat.size() == cases[i].find("concat")->items.size());
  }
}

TEST_CASE("ties go to the earlier edge and the earlier operation, and none is never chosen", "[strategy]") {
  at::Tensor alphas = at::zeros({5, 3});
  alphas.select(1, 0).fill_(9);  // none
  const Genotype genotype = derived(alphas, alphas, {"none", "skip_connect", "sep_conv_3x3"});
  const std::vector<Gene> expected{
      {"skip_connect", 0, 2}, {"skip_connect", 1, 2}, {"skip_connect", 0, 3}, {"skip_connect", 1, 3}};
  CHECK((genotype.cells[0].genes == expected));
}

TEST_CASE("cells that list edges with none get the largest operation of every edge", "[strategy]") {
  const auto space = make_part<SearchSpace>(test::plugins(), "nasbench201", {});
  SpaceConfig config;
  config.layers = 3;
  config.operations = space->defaults().operations;
  at::Tensor alphas = at::zeros({6, 5});
  alphas[0][0] = 9;  // 0 -> 1: none
  alphas[4][3] = 2;  // 1 -> 3: nor_conv_3x3
  const auto relaxation = make_part<Relaxation>(test::plugins(), "softmax", {});
  const auto deriver = make_part<Deriver>(test::plugins(), "darts", {});
  const Genotype genotype = derive({space->search(config).alphas, {alphas}}, *relaxation, *deriver, {}).genotype;
  CHECK(space->print_text(genotype) == "|none~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|");
}

TEST_CASE("candidates without anything to derive are refused", "[strategy][misuse]") {
  CHECK_THROWS_WITH(derived(at::zeros({2, 1}), at::zeros({2, 1}), {"none"}),
                    "cell 'normal' has no candidate other than none to derive; add one to space.ops");
}

}  // namespace
