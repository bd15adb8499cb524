#include <ATen/ATen.h>

#include "host/genotype/alphas_file.hpp"
#include "host/search/archived_run.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

/// Nested lists of numbers as [cells, edges, operations].
at::Tensor cells_of(const JsonValue& cells) {
  std::vector<double> values;
  for (const JsonValue& cell : cells.items)
    for (const JsonValue& row : cell.items)
      for (const JsonValue& value : row.items) values.push_back(value.number);
  const auto count = static_cast<std::int64_t>(cells.items.size()),
             edges = static_cast<std::int64_t>(cells.items[0].items.size());
  return at::tensor(values, at::kDouble).view({count, edges, -1});
}

/// [operation, to, from], or [operation, from] of two genes a node.
std::vector<Gene> genes_of(const JsonValue& list) {
  std::vector<Gene> genes;
  for (const JsonValue& gene : list.items) {
    const bool whole = gene.items.size() == 3;
    const auto to = whole ? static_cast<int>(gene.items[1].integer) : 2 + static_cast<int>(genes.size()) / 2;
    genes.push_back({gene.items[0].text, static_cast<int>(gene.items.back().integer), to});
  }
  return genes;
}

Genotype derived(const at::Tensor& alphas, const std::vector<std::string>& operations, const std::string& rule,
                 const std::map<std::string, std::string>& options = {}) {
  const auto space = make_part<SearchSpace>(test::plugins(), "ddarts", {});
  SpaceConfig config;
  config.layers = alphas.size(0);
  config.operations = operations;
  config.nodes = 1;
  while (config.nodes * (config.nodes + 3) / 2 < alphas.size(1)) ++config.nodes;
  return derive({space->search(config).alphas, {alphas}}, *make_part<Relaxation>(test::plugins(), "sigmoid", {}),
                *make_part<Deriver>(test::plugins(), rule, {{rule, options}}), {})
      .genotype;
}

std::vector<std::string> texts(const JsonValue& list) {
  std::vector<std::string> items;
  for (const JsonValue& item : list.items) items.push_back(item.text);
  return items;
}

TEST_CASE("all rules derive every stored genotype", "[ddarts][strategy][parity]") {
  const JsonValue stored = parse_json_file(test::path_of_optional("g_genotype_parse.json"), ErrorCode::bad_data);
  const auto all = texts(*stored.find("PRIMITIVES")), darts = texts(*stored.find("PRIMITIVES_DARTS"));
  const auto& cases = stored.find("cases")->items;
  REQUIRE(cases.size() >= 100);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const at::Tensor alphas = cells_of(*cases[i].find("raw_alphas"));
    const double threshold = cases[i].find("op_threshold")->number;
    for (const JsonMember& rule : cases[i].find("parsed")->members) {
      INFO("case " << i << ", " << rule.key);
      std::map<std::string, std::string> options;
      if (rule.key != "darts") options["threshold"] = std::to_string(threshold);
      const Genotype genotype = derived(alphas, cases[i].find("dartopti")->boolean ? all : darts, rule.key, options);
      const auto& cells = rule.value.find("genes")->items;
      REQUIRE(genotype.cells.size() == cells.size());
      for (std::size_t cell = 0; cell < cells.size(); ++cell)
        CHECK((genotype.cells[cell].genes == genes_of(cells[cell])));
    }
  }
}

/// One cell of one node with two edges, whose edge weights are given.
Genotype one_node(const std::vector<double>& weights, const std::string& rule, const std::string& threshold = "0.85") {
  const at::Tensor alphas = at::tensor(weights, at::kDouble).logit().view({1, 2, -1});
  return derived(alphas, {"none", "skip_connect", "sep_conv_3x3", "max_pool_3x3"}, rule, {{"threshold", threshold}});
}

TEST_CASE("none is never kept, ties go to the earlier operation, and a node may end empty", "[ddarts][strategy]") {
  const std::vector<double> weights{0.99, 0.9, 0.9, 0.9, 0.99, 0.5, 0.95, 0.86};
  const std::vector<Gene> edge{
      {"sep_conv_3x3", 0, 2}, {"skip_connect", 0, 2}, {"max_pool_3x3", 1, 2}, {"sep_conv_3x3", 1, 2}};
  CHECK((one_node(weights, "threshold_edge").cells[0].genes == edge));
  const std::vector<Gene> sparse{{"sep_conv_3x3", 1, 2}, {"skip_connect", 0, 2}};
  CHECK((one_node(weights, "threshold_sparse").cells[0].genes == sparse));
  CHECK(one_node(weights, "threshold_complete").cells[0].genes.size() == 5);
  const std::vector<Gene> highest{{"sep_conv_3x3", 1, 2}};
  CHECK((one_node(weights, "threshold_complete", "0.92").cells[0].genes == highest));
  for (const char* rule : {"threshold_edge", "threshold_sparse", "threshold_complete"})
    CHECK(one_node(weights, rule, "0.96").cells[0].genes.empty());
}

TEST_CASE("a threshold outside 0 to 1 is refused", "[ddarts][strategy][misuse]") {
  CHECK_THROWS_WITH(one_node({0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, "threshold_edge", "1.5"),
                    "threshold_edge: threshold_edge.threshold: expected a number from 0 to 1, found 1.5");
}

TEST_CASE("genotypes of alphas for every cell say which positions reduce", "[ddarts][strategy]") {
  const Genotype genotype = derived(at::full({8, 14, 2}, 3.0), {"skip_connect", "sep_conv_3x3"}, "threshold_edge");
  CHECK(genotype.reductions == std::vector<int>{2, 5});
  CHECK(genotype.cells[7].name == "7");
}

}  // namespace
