#include "host/report/gene_changes.hpp"

#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Texts = std::vector<std::string>;

Genotype genotype(std::vector<Gene> normal, std::vector<Gene> reduce = {}) {
  return {{{"normal", std::move(normal), {2, 3}}, {"reduce", std::move(reduce), {2, 3}}}};
}

TEST_CASE("the order of a node's genes is no change", "[report]") {
  const Genotype before = genotype({{"sep_conv_3x3", 0, 2}, {"skip_connect", 1, 2}, {"none", 0, 3}, {"none", 2, 3}});
  const Genotype after = genotype({{"skip_connect", 1, 2}, {"sep_conv_3x3", 0, 2}, {"none", 2, 3}, {"none", 0, 3}});
  CHECK_FALSE(before == after);
  CHECK(gene_changes(before, after).empty());
}

TEST_CASE("a gene that moves to another node changes both", "[report]") {
  const auto changes = gene_changes(genotype({{"skip_connect", 0, 2}}), genotype({{"skip_connect", 0, 3}}));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].node == 2);
  CHECK(changes[0].before == Texts{"skip_connect from 0"});
  CHECK(changes[0].after.empty());
  CHECK(changes[1].node == 3);
  CHECK(changes[1].after == Texts{"skip_connect from 0"});
}

TEST_CASE("genes that stay are left out of a node's change, and twins count twice", "[report]") {
  const auto changes = gene_changes(genotype({{"skip_connect", 0, 2}, {"skip_connect", 0, 2}, {"none", 1, 2}}),
                                    genotype({{"skip_connect", 0, 2}, {"sep_conv_3x3", 0, 2}, {"none", 1, 2}}));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].cell == "normal");
  CHECK(changes[0].before == Texts{"skip_connect from 0"});
  CHECK(changes[0].after == Texts{"sep_conv_3x3 from 0"});
  CHECK(changed_genes(changes) == 1);
}

TEST_CASE("genes that only came or went are counted", "[report]") {
  const auto changes = gene_changes(genotype({{"a", 0, 2}, {"b", 1, 2}}), genotype({}, {{"a", 0, 2}}));
  REQUIRE(changes.size() == 2);
  CHECK(changes[1].cell == "reduce");
  CHECK(changed_genes(changes) == 3);
}

TEST_CASE("skips are counted with their options, and not by the beginning of a name", "[report]") {
  CHECK(skip_genes(genotype(
            {{"skip_connect", 0, 2}, {"identity", 1, 2}, {"skip_connect:scale=2", 0, 3}, {"skip_connected", 1, 3}})) ==
        3);
}

}  // namespace
