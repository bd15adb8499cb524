#include "mixop/distance.hpp"

#include <cmath>
#include <map>

#include "host/genotype/genotype_json.hpp"
#include "mixop/error.hpp"
#include "tests/support/fixture_path.hpp"

namespace {

using namespace mixop;

Genotype one_cell(const std::vector<Gene>& genes, int last = 3) { return {{{"0", genes, {2, last}}}}; }

std::map<std::string, Genotype> stored_genotypes(const JsonValue& facts) {
  std::map<std::string, Genotype> genotypes;
  for (const char* group : {"baselines", "shipped_genotypes"})
    for (const JsonMember& member : facts.find(group)->members)
      genotypes[member.key] = genotype_of_keys(*member.value.find("genotype"), member.key, ErrorCode::bad_data);
  return genotypes;
}

TEST_CASE("the architecture distance agrees with every stored pair", "[distance][parity]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts_ddarts.json"), ErrorCode::bad_data);
  const auto genotypes = stored_genotypes(facts);
  std::size_t compared = 0;
  for (const char* pairs : {"pairs", "pairs_12op"})
    for (const JsonMember& pair : facts.find("distance")->find(pairs)->members) {
      INFO(pair.key);
      const auto bar = pair.key.find('|');
      const double found = architecture_distance(genotypes.at(pair.key.substr(0, bar)),
                                                 genotypes.at(pair.key.substr(bar + 1)), dartopti_weights());
      CHECK(std::abs(found - pair.value.number) <= 1e-6);
      ++compared;
    }
  CHECK(compared >= 16);
}

TEST_CASE("the weights of the operations are the published ones", "[distance][parity]") {
  const JsonValue facts = parse_json_file(test::path_of_optional("facts_ddarts.json"), ErrorCode::bad_data);
  const JsonValue seven = parse_json_file(test::path_of_optional("op_stats_7.json"), ErrorCode::bad_data);
  const auto check = [](const std::vector<OperationWeight>& weights, const JsonValue& stored) {
    REQUIRE(weights.size() == stored.members.size());
    for (const OperationWeight& weight : weights) CHECK(stored.find(weight.operation)->number == weight.weight);
  };
  check(dartopti_weights(), *facts.find("distance")->find("op_stats"));
  check(ddarts_weights(), seven);
}

TEST_CASE("edges are as far apart as the weights of what one of them has alone", "[distance]") {
  const std::vector<OperationWeight> weights{{"a", 1}, {"b", 2}, {"c", 5}};
  const Genotype a = one_cell({{"a", 0, 2}}), b = one_cell({{"b", 0, 2}}), ab = one_cell({{"a", 0, 2}, {"b", 0, 2}});
  CHECK(architecture_distance(a, a, weights) == 0);
  // Of {a} and {}, {b} is nearest to {}: 2/8; of {b} and {}, {a} is nearest to {}: 1/8. The larger counts.
  CHECK(architecture_distance(a, b, weights) == 0.25);
  CHECK(architecture_distance(b, a, weights) == 0.25);
  CHECK(architecture_distance(a, ab, weights) == 0.25);
  // The other way round every edge is in both sets but {a}, and it does not matter where an edge is.
  CHECK(architecture_distance(a, one_cell({{"a", 1, 3}, {"a", 0, 3}}), weights) == 0);
}

TEST_CASE("a cell whose every edge has an operation has no empty edge", "[distance]") {
  const std::vector<OperationWeight> weights{{"a", 1}, {"b", 3}};
  const Genotype full = one_cell({{"b", 0, 2}, {"b", 1, 2}}, 2), sparse = one_cell({{"b", 0, 2}}, 2);
  CHECK(architecture_distance(full, sparse, weights) == 0.75);  // the empty edge of the latter is far from all
  CHECK(architecture_distance(sparse, sparse, weights) == 0);
}

TEST_CASE("cells are paired up to the shorter genotype", "[distance]") {
  const std::vector<OperationWeight> weights{{"a", 1}, {"b", 1}};
  Genotype two = one_cell({{"a", 0, 2}});
  two.cells.push_back({"1", {{"b", 0, 2}}, {2, 3}});
  CHECK(cell_distances(two, one_cell({{"b", 0, 2}}), weights) == std::vector<double>{0.5});
  Genotype other = two;
  other.cells[1].genes[0].operation = std::string("a");
  CHECK(cell_distances(two, other, weights) == std::vector<double>{0, 0.5});
  CHECK(architecture_distance(two, other, weights) == 0.25);
}

TEST_CASE("kinds of cells are paired by name, wherever they stand and whichever is missing", "[distance]") {
  const std::vector<OperationWeight> weights{{"a", 1}, {"b", 1}};
  const CellGenotype normal{"normal", {{"a", 0, 2}}, {2, 3}}, reduce{"reduce", {{"b", 0, 2}}, {2, 3}};
  const Genotype both{{normal, reduce}}, turned{{reduce, normal}}, alone{{reduce}};
  CHECK(cell_distances(both, turned, weights) == std::vector<double>{0, 0});
  CHECK(cell_distances(both, alone, weights) == std::vector<double>{0});
  CHECK(cell_distances(alone, both, weights) == std::vector<double>{0});
  CHECK_THROWS_WITH(architecture_distance({{normal}}, alone, weights),
                    "the architecture distance needs a cell that both genotypes have");
  CHECK(cell_distances({{{"0", {{"b", 0, 2}}, {2, 3}}}}, both, weights) == std::vector<double>{0.5});  // by place
}

TEST_CASE("the seven operations are weighted by themselves alone, and others at their mean", "[distance]") {
  CHECK(weights_for({"sep_conv_3x3", "skip_connect"}).size() == 7);
  CHECK(weights_for({"sep_conv_3x3", "simple_conv_3x3"}).size() == 12);
  for (const std::size_t known : {7, 12}) {
    const std::vector<OperationWeight> weights =
        weights_for({"own_conv", "a", known == 7 ? "sep_conv_3x3" : "simple_conv_3x3"});
    REQUIRE(weights.size() == known + 2);
    double mean = 0;
    for (std::size_t i = 0; i < known; ++i) mean += weights[i].weight / static_cast<double>(known);
    CHECK(weights[known].operation == "a");
    CHECK(weights[known + 1].operation == "own_conv");
    for (const std::size_t i : {known, known + 1}) CHECK(weights[i].weight == Approx(mean));
    const Genotype own = one_cell({{"own_conv", 0, 2}}), other = one_cell({{"sep_conv_3x3", 0, 2}});
    CHECK(architecture_distance(own, own, weights) == 0);
    CHECK(architecture_distance(own, other, weights) > 0);
  }
}

TEST_CASE("an operation without a weight is named", "[distance][misuse]") {
  CHECK_THROWS_WITH(architecture_distance(one_cell({{"tanh", 0, 2}}), one_cell({{"a", 0, 2}}), {{"a", 1}, {"b", 1}}),
                    "the operation 'tanh' has no weight in the architecture distance; those of a, b are known");
  CHECK_THROWS_WITH(architecture_distance({}, one_cell({{"a", 0, 2}}), {{"a", 1}}),
                    "the architecture distance needs a cell that both genotypes have");
}

}  // namespace
