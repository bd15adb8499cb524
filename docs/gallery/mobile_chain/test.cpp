// The shape of the chain, and the parameters of one block by hand.
#include "mobile_chain.hpp"

#include <cstdio>
#include <set>
#include <variant>

#include "mixop/structure_size.hpp"

int main() {
  const MobileChain space{mixop::Options()};
  mixop::SpaceConfig config;
  config.channels = 8;
  config.layers = 9;
  config.operations = space.defaults().operations;
  const mixop::NetworkGraph graph = space.search(config);
  std::set<int> rows;
  std::int64_t halved = 0, channels = 0;
  for (const mixop::Block& block : graph.blocks)
    for (const mixop::Edge& edge : block.cell.edges)
      if (const auto* choice = std::get_if<mixop::Choice>(&edge.does)) {
        rows.insert(choice->alphas.cell);
        halved += choice->spec.stride == 2 ? 1 : 0;
        channels = choice->spec.out;
      }
  mixop::Genotype genotype;
  for (int i = 0; i < 9; ++i) genotype.cells.push_back({std::to_string(i), {{"acme.mobile_3_3", 0, 1}}, {1}, 1});
  const mixop::StructureSize size =
      mixop::size_of(mobile_block({.in = 8, .out = 12, .stride = 2, .affine = true}, 5, 3), {8, 8, 8});
  const bool right = rows.size() == 9 && *rows.begin() == 0 && *rows.rbegin() == 8 && halved == 2 && channels == 18 &&
                     graph.alphas.at(0).shape() == std::vector<std::int64_t>{9, 1, 4} &&
                     space.network(config, genotype).blocks.size() == graph.blocks.size() &&
                     size.output == mixop::ImageShape{12, 4, 4} &&
                     size.parameters == 8 * 24 + 25 * 24 + 24 * 12 + 2 * (24 + 24 + 12);
  std::printf("%zu choices, %d halve the resolution, %d channels at the end\n", rows.size(), static_cast<int>(halved),
              static_cast<int>(channels));
  return right ? 0 : 1;
}
