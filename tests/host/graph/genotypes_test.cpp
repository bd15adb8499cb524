#include "host/graph/genotypes.hpp"

#include <cmath>
#include <map>
#include <set>

#include "mixop/cells.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

std::vector<AlphaSet> space(int nodes, const std::vector<std::string>& operations) {
  return {{"alphas_normal", dense_cell("normal", 2, nodes, operations), {0}, false},
          {"alphas_reduce", dense_cell("reduce", 2, nodes, operations), {1}, false}};
}

std::string text_of(const Genotype& genotype) {
  std::string text;
  for (const CellGenotype& cell : genotype.cells)
    for (const Gene& gene : cell.genes)
      text += cell.name + gene.operation + std::to_string(gene.from) + ">" + std::to_string(gene.to) + " ";
  return text;
}

TEST_CASE("the space of DARTS has the published number of cells", "[genotypes]") {
  // Node i chooses two of its 2 + i inputs: 1 * 3 * 6 * 10 graphs, and one of 7 operations on each of 8 edges.
  const auto darts = space(4, {"none", "a", "b", "c", "d", "e", "f", "g"});
  const double graphs = 1.0 * 3 * 6 * 10;
  CHECK(count_genotypes(darts) == Approx(std::pow(graphs * std::pow(7.0, 8), 2)));
}

TEST_CASE("walking through a small space meets every genotype once", "[genotypes]") {
  const auto small = space(2, {"none", "a", "b"});
  const auto count = static_cast<std::uint64_t>(count_genotypes(small));
  REQUIRE(count == 48 * 48);
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < count; ++i) seen.insert(text_of(genotype_at(small, i)));
  CHECK(seen.size() == count);
  CHECK_THROWS_WITH(genotype_at(small, count), "genotype 2304 is past the end of the space");
}

TEST_CASE("samples are functions of their key and reach every genotype", "[genotypes]") {
  const auto small = space(1, {"a", "b"});
  CHECK(text_of(sample_genotype(small, 5)) == text_of(sample_genotype(small, 5)));
  std::map<std::string, int> seen;
  for (std::uint64_t key = 0; key < 1600; ++key) ++seen[text_of(sample_genotype(small, key))];
  CHECK(seen.size() == 16);
  for (const auto& [text, times] : seen) CHECK((times > 60 && times < 150));
}

TEST_CASE("a mutation changes one gene into another of the space", "[genotypes]") {
  const auto darts = space(4, {"none", "a", "b", "c"});
  const Genotype before = sample_genotype(darts, 1);
  for (std::uint64_t key = 0; key < 200; ++key) {
    const Genotype after = mutate_genotype(before, darts, key);
    int changed = 0;
    for (std::size_t c = 0; c < 2; ++c) {
      for (std::size_t g = 0; g < before.cells[c].genes.size(); ++g) {
        const Gene &old = before.cells[c].genes[g], &now = after.cells[c].genes[g];
        changed += !(old == now);
        CHECK((now.operation != "none" && now.to == old.to && now.from < now.to));
        CHECK((old.operation == now.operation || old.from == now.from));
      }
    }
    CHECK(changed == 1);
  }
}

TEST_CASE("a cell of any number of inputs keeps as many edges as it says, and none where it says so", "[genotypes]") {
  std::vector<AlphaSet> bench{{"alphas", dense_cell("cell", 1, 3, {"none", "a", "b", "c", "d"}), {0}}};
  bench[0].topology.kept = 3;
  bench[0].topology.keeps_none = true;
  CHECK(count_genotypes(bench) == 15625);
  const Genotype sample = sample_genotype(bench, 3);
  CHECK(sample.cells[0].inputs == 1);
  CHECK(sample.cells[0].genes.size() == 6);
  bool none = false;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const Genotype one = genotype_at(bench, i * 1953);
    for (const Gene& gene : one.cells[0].genes) none = none || gene.operation == "none";
  }
  CHECK(none);
  bench[0].topology.kept = 0;  // as many as inputs
  CHECK(sample_genotype(bench, 3).cells[0].genes.size() == 3);
}

TEST_CASE("genotypes by position know the reductions of their space", "[genotypes]") {
  AlphaSet set{"alphas", dense_cell("cell", 2, 1, {"a", "b"}), {0, 1}, /*per_cell=*/true};
  set.reductions = std::vector<int>{1};
  const Genotype sample = sample_genotype({set}, 1);
  CHECK(sample.by_position());
  CHECK(sample.reductions == std::vector<int>{1});
}

TEST_CASE("a space or genotype with nothing to choose is refused", "[genotypes][misuse]") {
  CHECK_THROWS_WITH(sample_genotype(space(1, {"none"}), 1),
                    "cell 'normal' has no candidate other than none; add one to space.ops");
  const auto single = space(1, {"a"});
  CHECK_THROWS_WITH(mutate_genotype(sample_genotype(single, 1), single, 1),
                    "the space leaves nothing in this genotype to change");
  CHECK_THROWS_WITH(mutate_genotype({{{"other", {}, {}}}, {}}, single, 1), "the space has no cell 'other'");
}

}  // namespace
