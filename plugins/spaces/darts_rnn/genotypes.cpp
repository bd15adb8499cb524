#include "genotypes.hpp"

namespace mixop::darts_rnn {
namespace {

/// One gene a node, as (operation, from) in the order of the nodes 1, 2, ...
Genotype recurrent(std::vector<std::pair<const char*, int>> pairs, std::vector<int> concat) {
  CellGenotype cell{"recurrent", {}, std::move(concat), 1};
  for (const auto& [operation, from] : pairs)
    cell.genes.push_back({operation, from, 1 + static_cast<int>(cell.genes.size())});
  return {{std::move(cell)}};
}

}  // namespace

const std::vector<NamedGenotype>& published_genotypes() {
  static const std::vector<NamedGenotype> table = {
      {"ENAS", "Pham et al., ICML 2018",
       recurrent({{"tanh", 0},
                  {"tanh", 1},
                  {"relu", 1},
                  {"tanh", 3},
                  {"tanh", 3},
                  {"relu", 3},
                  {"relu", 4},
                  {"relu", 7},
                  {"relu", 8},
                  {"relu", 8},
                  {"relu", 8}},
                 {2, 5, 6, 9, 10, 11})},
      {"DARTS_V1", "Liu et al., ICLR 2019, first order",
       recurrent(
           {{"relu", 0}, {"relu", 1}, {"tanh", 2}, {"relu", 3}, {"relu", 4}, {"identity", 1}, {"relu", 5}, {"relu", 1}},
           {1, 2, 3, 4, 5, 6, 7, 8})},
      {"DARTS_V2", "Liu et al., ICLR 2019, second order",
       recurrent({{"sigmoid", 0},
                  {"relu", 1},
                  {"relu", 1},
                  {"identity", 1},
                  {"tanh", 2},
                  {"sigmoid", 5},
                  {"tanh", 3},
                  {"relu", 5}},
                 {1, 2, 3, 4, 5, 6, 7, 8})},
  };
  return table;
}

}  // namespace mixop::darts_rnn
