#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

const std::vector<std::string> kOperations{"none", "skip_connect", "sep_conv_3x3"};

/// Two nodes behind two inputs: edges 0-2, 1-2, 0-3, 1-3, 2-3.
AlphaSet cell_of(const std::string& name) {
  AlphaSet set;
  set.name = name;
  set.topology.name = name;
  set.topology.nodes = 2;
  set.topology.edges = {{0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}};
  set.topology.operations = kOperations;
  set.topology.concat = {2, 3};
  return set;
}

at::Tensor some_weights() {
  return at::tensor({0.0F, 0.7F, 0.3F, 0.0F, 0.6F, 0.4F, 0.0F, 0.9F, 0.1F, 0.0F, 0.8F, 0.2F, 0.0F, 0.2F, 0.25F})
      .view({5, 3});
}

std::vector<Gene> genes(const std::string& cell, const std::string& limit) {
  const auto deriver =
      make_part<Deriver>(test::plugins(), "darts_limited_skips", {{"darts_limited_skips", {{"limit", limit}}}});
  return deriver->derive({cell_of(cell)}, {some_weights()}).cells.at(0).genes;
}

TEST_CASE("the weakest skips are struck off until a cell has no more than the limit, and edges are chosen anew",
          "[strategy][deriver]") {
  // All four are skips: 0.7 and 0.6 into node 2, 0.9 and 0.8 into node 3.
  CHECK((genes("normal", "4") ==
         std::vector<Gene>{
             {"skip_connect", 0, 2}, {"skip_connect", 1, 2}, {"skip_connect", 0, 3}, {"skip_connect", 1, 3}}));
  // Node 2 has no other edges, so 0.6 and 0.7 give way to convolutions.
  CHECK((genes("normal", "2") ==
         std::vector<Gene>{
             {"sep_conv_3x3", 1, 2}, {"sep_conv_3x3", 0, 2}, {"skip_connect", 0, 3}, {"skip_connect", 1, 3}}));
  // Without the skip of 0.8, its edge is weaker than 2-3.
  CHECK((genes("normal", "1") ==
         std::vector<Gene>{
             {"sep_conv_3x3", 1, 2}, {"sep_conv_3x3", 0, 2}, {"skip_connect", 0, 3}, {"sep_conv_3x3", 2, 3}}));
  CHECK((genes("normal", "0") ==
         std::vector<Gene>{
             {"sep_conv_3x3", 1, 2}, {"sep_conv_3x3", 0, 2}, {"sep_conv_3x3", 2, 3}, {"sep_conv_3x3", 1, 3}}));
}

TEST_CASE("reduction cells keep their skips, by name and by position", "[strategy][deriver]") {
  CHECK((genes("reduce", "0") == genes("normal", "4")));
  AlphaSet rows = cell_of("alphas");
  rows.per_cell = true;
  rows.cells = {0, 1};
  rows.reductions = std::vector<int>{1};
  const auto deriver = make_part<Deriver>(test::plugins(), "darts_limited_skips", {});
  const Genotype genotype = deriver->derive({rows}, {at::stack({some_weights(), some_weights()})});
  CHECK((genotype.cells.at(0).genes == genes("normal", "2")));
  CHECK((genotype.cells.at(1).genes == genes("normal", "4")));
}

TEST_CASE("where skips are the only candidates the limit cannot hold, and the rule ends", "[strategy][deriver]") {
  AlphaSet set = cell_of("normal");
  set.topology.operations = {"skip_connect"};
  const auto deriver = make_part<Deriver>(test::plugins(), "darts_limited_skips", {});
  CHECK(deriver->derive({set}, {at::ones({5, 1})}).cells.at(0).genes.size() == 4);
}

TEST_CASE("a limit below 0 is refused", "[strategy][deriver][misuse]") {
  CHECK_THROWS_WITH(genes("normal", "-1"),
                    "darts_limited_skips: darts_limited_skips.limit: expected a number from 0 on, found -1");
}

TEST_CASE("no deriver of edges takes an operation that was dropped, whatever the limit of skips is", "[strategy][deriver][dropped]") {
  at::manual_seed(12);
  const AlphaSet set = cell_of("normal");
  for (int trial = 0; trial < 200; ++trial) {
    at::Tensor weights = at::rand({5, 3});
    weights.masked_fill_(at::rand({5, 3}).lt(0.5), 0);
    for (std::int64_t edge = 0; edge < 5; ++edge)
      if (weights[edge].sum().item<float>() == 0) weights[edge][1 + trial % 2] = 0.5;  // something is left of every edge
    for (const char* limit : {"0", "1", "2"}) {
      INFO("trial " << trial << ", limit " << limit);
      const auto deriver = make_part<Deriver>(test::plugins(), "darts_limited_skips", {{"darts_limited_skips", {{"limit", limit}}}});
      const Genotype genotype = deriver->derive({set}, {weights});
      for (const Gene& gene : genotype.cells.at(0).genes) {
        std::int64_t edge = 0;
        while (set.topology.edges[static_cast<std::size_t>(edge)].from != gene.from || set.topology.edges[static_cast<std::size_t>(edge)].to != gene.to) ++edge;
        CHECK(weights[edge][gene.operation == "skip_connect" ? 1 : 2].item<float>() > 0);
      }
    }
  }
}

}  // namespace
