#include "mixop/supernet/genotypes.hpp"

#include <set>

#include "mixop/error.hpp"
#include "mixop/supernet/topology.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;
using namespace mixop::supernet;

std::vector<AlphaDeclaration> space(int nodes, const std::vector<std::string>& operations) {
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

TEST_CASE("a space or genotype with nothing to choose is refused", "[genotypes][misuse]") {
  CHECK_THROWS_WITH(sample_genotype(space(1, {"none"}), 1),
                    "cell 'normal' has no candidate other than none; add one to space.ops");
  const auto single = space(1, {"a"});
  CHECK_THROWS_WITH(mutate_genotype(sample_genotype(single, 1), single, 1),
                    "the space leaves nothing in this genotype to change");
  CHECK_THROWS_WITH(mutate_genotype({{{"other", {}, {}}}, {}}, single, 1), "the space has no cell 'other'");
}

}  // namespace
