#include "genotypes.hpp"

namespace mixop::darts_cnn {
namespace {

/// A published cell: two genes a node, as (operation, from) in the order of the nodes.
CellGenotype cell(const char* name, std::vector<std::pair<const char*, int>> pairs, std::vector<int> concat) {
  CellGenotype genotype{name, {}, std::move(concat)};
  for (std::size_t i = 0; i < pairs.size(); ++i)
    genotype.genes.push_back({pairs[i].first, pairs[i].second, 2 + static_cast<int>(i) / 2});
  return genotype;
}

}  // namespace

const std::vector<NamedGenotype>& published_genotypes() {
  static const std::vector<NamedGenotype> table = {
      {"NASNet", "Zoph et al., CVPR 2018", {{cell("normal", {{"sep_conv_5x5", 1}, {"sep_conv_3x3", 0}, {"sep_conv_5x5", 0}, {"sep_conv_3x3", 0}, {"avg_pool_3x3", 1}, {"skip_connect", 0}, {"avg_pool_3x3", 0}, {"avg_pool_3x3", 0}, {"sep_conv_3x3", 1}, {"skip_connect", 1}}, {2, 3, 4, 5, 6}), cell("reduce", {{"sep_conv_5x5", 1}, {"sep_conv_7x7", 0}, {"max_pool_3x3", 1}, {"sep_conv_7x7", 0}, {"avg_pool_3x3", 1}, {"sep_conv_5x5", 0}, {"skip_connect", 3}, {"avg_pool_3x3", 2}, {"sep_conv_3x3", 2}, {"max_pool_3x3", 1}}, {4, 5, 6})}}},
      {"AmoebaNet", "Real et al., AAAI 2019", {{cell("normal", {{"avg_pool_3x3", 0}, {"max_pool_3x3", 1}, {"sep_conv_3x3", 0}, {"sep_conv_5x5", 2}, {"sep_conv_3x3", 0}, {"avg_pool_3x3", 3}, {"sep_conv_3x3", 1}, {"skip_connect", 1}, {"skip_connect", 0}, {"avg_pool_3x3", 1}}, {4, 5, 6}), cell("reduce", {{"avg_pool_3x3", 0}, {"sep_conv_3x3", 1}, {"max_pool_3x3", 0}, {"sep_conv_7x7", 2}, {"sep_conv_7x7", 0}, {"avg_pool_3x3", 1}, {"max_pool_3x3", 0}, {"max_pool_3x3", 1}, {"conv_7x1_1x7", 0}, {"sep_conv_3x3", 5}}, {3, 4, 6})}}},
      {"DARTS_V1", "Liu et al., ICLR 2019 (first order)", {{cell("normal", {{"sep_conv_3x3", 1}, {"sep_conv_3x3", 0}, {"skip_connect", 0}, {"sep_conv_3x3", 1}, {"skip_connect", 0}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 0}, {"skip_connect", 2}}, {2, 3, 4, 5}), cell("reduce", {{"max_pool_3x3", 0}, {"max_pool_3x3", 1}, {"skip_connect", 2}, {"max_pool_3x3", 0}, {"max_pool_3x3", 0}, {"skip_connect", 2}, {"skip_connect", 2}, {"avg_pool_3x3", 0}}, {2, 3, 4, 5})}}},
      {"DARTS_V2", "Liu et al., ICLR 2019 (second order)", {{cell("normal", {{"sep_conv_3x3", 0}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 0}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 1}, {"skip_connect", 0}, {"skip_connect", 0}, {"dil_conv_3x3", 2}}, {2, 3, 4, 5}), cell("reduce", {{"max_pool_3x3", 0}, {"max_pool_3x3", 1}, {"skip_connect", 2}, {"max_pool_3x3", 1}, {"max_pool_3x3", 0}, {"skip_connect", 2}, {"skip_connect", 2}, {"max_pool_3x3", 1}}, {2, 3, 4, 5})}}},
      {"PC_DARTS_cifar", "Xu et al., ICLR 2020 (CIFAR-10)", {{cell("normal", {{"sep_conv_3x3", 1}, {"skip_connect", 0}, {"sep_conv_3x3", 0}, {"dil_conv_3x3", 1}, {"sep_conv_5x5", 0}, {"sep_conv_3x3", 1}, {"avg_pool_3x3", 0}, {"dil_conv_3x3", 1}}, {2, 3, 4, 5}), cell("reduce", {{"sep_conv_5x5", 1}, {"max_pool_3x3", 0}, {"sep_conv_5x5", 1}, {"sep_conv_5x5", 2}, {"sep_conv_3x3", 0}, {"sep_conv_3x3", 3}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 2}}, {2, 3, 4, 5})}}},
      {"PC_DARTS_image", "Xu et al., ICLR 2020 (ImageNet)", {{cell("normal", {{"skip_connect", 1}, {"sep_conv_3x3", 0}, {"sep_conv_3x3", 0}, {"skip_connect", 1}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 3}, {"sep_conv_3x3", 1}, {"dil_conv_5x5", 4}}, {2, 3, 4, 5}), cell("reduce", {{"sep_conv_3x3", 0}, {"skip_connect", 1}, {"dil_conv_5x5", 2}, {"max_pool_3x3", 1}, {"sep_conv_3x3", 2}, {"sep_conv_3x3", 1}, {"sep_conv_5x5", 0}, {"sep_conv_3x3", 3}}, {2, 3, 4, 5})}}},
      {"PDARTS", "Chen et al., ICCV 2019", {{cell("normal", {{"skip_connect", 0}, {"dil_conv_3x3", 1}, {"skip_connect", 0}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 1}, {"sep_conv_3x3", 3}, {"sep_conv_3x3", 0}, {"dil_conv_5x5", 4}}, {2, 3, 4, 5}), cell("reduce", {{"avg_pool_3x3", 0}, {"sep_conv_5x5", 1}, {"sep_conv_3x3", 0}, {"dil_conv_5x5", 2}, {"max_pool_3x3", 0}, {"dil_conv_3x3", 1}, {"dil_conv_3x3", 1}, {"dil_conv_5x5", 3}}, {2, 3, 4, 5})}}},
  };
  return table;
}

}  // namespace mixop::darts_cnn
