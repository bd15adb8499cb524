// The shape of the chain: as many choices as positions, each on alphas of its own, of which two halve the resolution.
#include "@file@.hpp"

#include <cstdio>
#include <set>

int main() {
  const @class@ space{mixop::Options()};
  mixop::SpaceConfig config;
  config.channels = 8;
  config.layers = 9;
  config.operations = space.defaults().operations;
  const mixop::NetworkGraph graph = space.search(config);
  std::set<int> rows;
  int halved = 0;
  for (const mixop::Block& block : graph.blocks)
    for (const mixop::Edge& edge : block.cell.edges)
      if (const auto* choice = std::get_if<mixop::Choice>(&edge.does)) {
        rows.insert(choice->alphas.cell);
        halved += choice->spec.stride == 2 ? 1 : 0;
      }
  mixop::Genotype genotype;
  for (int i = 0; i < 9; ++i) genotype.cells.push_back({std::to_string(i), {{"sep_conv_3x3", 0, 1}}, {1}, 1});
  const bool right = rows.size() == 9 && *rows.begin() == 0 && *rows.rbegin() == 8 && halved == 2 &&
                     graph.alphas.at(0).shape() == std::vector<std::int64_t>{9, 1, 4} &&
                     space.network(config, genotype).blocks.size() == graph.blocks.size();
  std::printf("%zu choices, %d halve the resolution\n", rows.size(), halved);
  return right ? 0 : 1;
}
