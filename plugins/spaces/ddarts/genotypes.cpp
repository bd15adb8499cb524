#include "genotypes.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace mixop::ddarts {
namespace {

// Cells that the network derived from Xception repeats.
constexpr const char* kXceptionOuter =
    "2: conv_7x1_1x7 1, bottleneck_1x3x1 0; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; 4: max_pool_3x3 3, "
    "conv_7x1_1x7 2; 5: max_pool_3x3 4, conv_3x1_1x3 3";
constexpr const char* kXceptionMiddle =
    "2: bottleneck_1x3x1 1, conv_7x1_1x7 0; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; 4: conv_7x1_1x7 3, "
    "bottleneck_1x3x1 0; 5: conv_7x1_1x7 1, bottleneck_1x3x1 4";

std::string_view cut(std::string_view& rest, std::string_view separator) {
  const auto end = rest.find(separator);
  const std::string_view head = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + separator.size());
  return head;
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "2: sep_conv_3x3 0, skip_connect 1; 3: ..." lists for node after node its operations and where they come from.
std::vector<Gene> genes_of(std::string_view cell) {
  std::vector<Gene> genes;
  while (!cell.empty()) {
    std::string_view node = cut(cell, "; ");
    const int to = number(cut(node, ": "));
    while (!node.empty()) {
      std::string_view gene = cut(node, ", ");
      const std::string operation(cut(gene, " "));
      genes.push_back({operation, number(gene), to});
    }
  }
  return genes;
}

/// A genotype of cells by position; `sequence`, where given, says which of them every position of the network takes.
Genotype listed(const std::vector<const char*>& cells, const std::vector<int>& concat, std::vector<int> reductions,
                std::vector<int> sequence = {}) {
  Genotype genotype;
  for (const char* cell : cells)
    genotype.cells.push_back({std::to_string(genotype.cells.size()), genes_of(cell), concat});
  genotype.reductions = std::move(reductions);
  if (!sequence.empty()) genotype.sequence = std::move(sequence);
  return genotype;
}

}  // namespace

const std::vector<NamedGenotype>& ddarts_genotypes() {
  static const std::vector<NamedGenotype> table = {
      {"D-DARTS_threshold_edge_cifar10_0.85_50", "Heuillet et al., arXiv 2108.09306",
       listed({"2: dil_conv_3x3 0, max_pool_3x3 0, dil_conv_3x3 1, sep_conv_3x3 1; 3: max_pool_3x3 0, sep_conv_3x3 0, "
               "dil_conv_3x3 1, sep_conv_3x3 1, dil_conv_5x5 2, max_pool_3x3 2; 4: max_pool_3x3 0, sep_conv_3x3 0, "
               "sep_conv_3x3 1, max_pool_3x3 1, sep_conv_5x5 2, max_pool_3x3 2, sep_conv_3x3 3, dil_conv_3x3 3; "
               "5: dil_conv_5x5 0, max_pool_3x3 0, max_pool_3x3 1, sep_conv_5x5 1, sep_conv_5x5 2, max_pool_3x3 2, "
               "max_pool_3x3 3, dil_conv_5x5 3, max_pool_3x3 4, dil_conv_5x5 4",
               "2: sep_conv_5x5 0, skip_connect 0, sep_conv_3x3 1, dil_conv_5x5 1; 3: max_pool_3x3 0, dil_conv_3x3 0, "
               "dil_conv_3x3 1, sep_conv_5x5 1, dil_conv_3x3 2, sep_conv_5x5 2; 4: dil_conv_3x3 0, dil_conv_5x5 0, "
               "dil_conv_5x5 1, sep_conv_5x5 1, sep_conv_3x3 2, sep_conv_5x5 2, sep_conv_3x3 3, dil_conv_3x3 3; "
               "5: max_pool_3x3 0, sep_conv_5x5 0, sep_conv_5x5 1, skip_connect 1, skip_connect 2, dil_conv_3x3 2, "
               "dil_conv_3x3 3, sep_conv_3x3 3, dil_conv_3x3 4, sep_conv_5x5 4",
               "2: dil_conv_5x5 0, sep_conv_5x5 0, dil_conv_3x3 1, sep_conv_5x5 1; 3: skip_connect 0, sep_conv_3x3 0, "
               "sep_conv_5x5 1, sep_conv_3x3 1, sep_conv_5x5 2, max_pool_3x3 2; 4: sep_conv_3x3 0, skip_connect 0, "
               "dil_conv_5x5 1, sep_conv_5x5 1, dil_conv_3x3 2, sep_conv_3x3 2, dil_conv_5x5 3, sep_conv_3x3 3; "
               "5: skip_connect 0, sep_conv_5x5 0, max_pool_3x3 1, sep_conv_3x3 1, max_pool_3x3 2, dil_conv_3x3 2, "
               "skip_connect 3, dil_conv_5x5 3, skip_connect 4, sep_conv_5x5 4",
               "2: skip_connect 0, sep_conv_5x5 0, max_pool_3x3 1, sep_conv_5x5 1; 3: sep_conv_5x5 0, sep_conv_3x3 0, "
               "max_pool_3x3 1, sep_conv_5x5 1, dil_conv_5x5 2, sep_conv_5x5 2; 4: sep_conv_3x3 0, sep_conv_5x5 0, "
               "dil_conv_3x3 1, sep_conv_5x5 2, dil_conv_3x3 2, dil_conv_3x3 3, dil_conv_5x5 3; 5: dil_conv_5x5 0, "
               "sep_conv_3x3 0, dil_conv_3x3 1, sep_conv_5x5 1, dil_conv_3x3 2, dil_conv_5x5 2, sep_conv_3x3 3, "
               "dil_conv_5x5 3, sep_conv_5x5 4",
               "2: dil_conv_5x5 0, max_pool_3x3 0, sep_conv_3x3 1, dil_conv_5x5 1; 3: avg_pool_3x3 0, max_pool_3x3 0, "
               "dil_conv_5x5 1, sep_conv_5x5 1, sep_conv_3x3 2, sep_conv_5x5 2; 4: skip_connect 0, dil_conv_5x5 0, "
               "dil_conv_3x3 1, sep_conv_5x5 1, sep_conv_3x3 2, sep_conv_5x5 2, skip_connect 3, sep_conv_5x5 3; "
               "5: dil_conv_3x3 0, max_pool_3x3 0, dil_conv_5x5 2, sep_conv_5x5 2, dil_conv_5x5 3, dil_conv_3x3 3, "
               "dil_conv_5x5 4, sep_conv_3x3 4",
               "2: dil_conv_5x5 0, sep_conv_5x5 0, sep_conv_3x3 1, sep_conv_5x5 1; 3: max_pool_3x3 0, sep_conv_5x5 0, "
               "sep_conv_3x3 1, sep_conv_5x5 1, sep_conv_3x3 2, sep_conv_5x5 2; 4: skip_connect 0, dil_conv_3x3 0, "
               "sep_conv_3x3 1, dil_conv_3x3 1, dil_conv_5x5 2, sep_conv_5x5 2, sep_conv_3x3 3, dil_conv_3x3 3; "
               "5: skip_connect 0, dil_conv_5x5 0, dil_conv_3x3 1, sep_conv_3x3 1, sep_conv_3x3 2, dil_conv_5x5 2, "
               "dil_conv_5x5 3, sep_conv_3x3 3, sep_conv_5x5 4, dil_conv_3x3 4",
               "2: dil_conv_5x5 0, sep_conv_3x3 0, sep_conv_3x3 1, sep_conv_5x5 1; 3: sep_conv_3x3 0, skip_connect 0, "
               "sep_conv_3x3 1, dil_conv_3x3 1, dil_conv_5x5 2, skip_connect 2; 4: dil_conv_3x3 0, skip_connect 0, "
               "sep_conv_5x5 1, sep_conv_3x3 1, dil_conv_5x5 2, skip_connect 2, skip_connect 3, dil_conv_5x5 3; "
               "5: skip_connect 0, dil_conv_3x3 0, skip_connect 1, sep_conv_5x5 1, dil_conv_5x5 2, skip_connect 2, "
               "skip_connect 3, sep_conv_3x3 3, skip_connect 4, dil_conv_3x3 4",
               "2: dil_conv_3x3 0, sep_conv_3x3 0, sep_conv_5x5 1; 3: sep_conv_5x5 0, dil_conv_5x5 0, sep_conv_5x5 2; "
               "4: dil_conv_3x3 2, dil_conv_5x5 3, sep_conv_5x5 3; 5: sep_conv_3x3 2"},
              {2, 3, 4, 5}, {2, 6})},
      {"D-DARTS_threshold_sparse_abl0.5_fair7_cifar100_0.85_50", "Heuillet et al., arXiv 2108.09306",
       listed({"2: sep_conv_3x3 1, max_pool_3x3 0; 3: sep_conv_3x3 0, sep_conv_5x5 2; 4: sep_conv_5x5 3, "
               "sep_conv_5x5 1; 5: dil_conv_3x3 3, max_pool_3x3 0",
               "2: max_pool_3x3 0, dil_conv_5x5 1; 3: max_pool_3x3 0, max_pool_3x3 2; 4: sep_conv_5x5 0, "
               "sep_conv_3x3 3; 5: max_pool_3x3 4, sep_conv_3x3 3",
               "2: avg_pool_3x3 0, sep_conv_5x5 1; 3: sep_conv_5x5 1, sep_conv_5x5 2; 4: sep_conv_5x5 3, "
               "sep_conv_5x5 1; 5: sep_conv_5x5 2, sep_conv_5x5 3",
               "2: max_pool_3x3 1, sep_conv_5x5 0; 3: sep_conv_5x5 1, dil_conv_5x5 2; 4: sep_conv_5x5 1, "
               "sep_conv_5x5 2; 5: sep_conv_5x5 2, sep_conv_5x5 4",
               "2: max_pool_3x3 1, max_pool_3x3 0; 3: sep_conv_5x5 2, max_pool_3x3 0; 4: sep_conv_5x5 1, "
               "avg_pool_3x3 0; 5: sep_conv_3x3 4, dil_conv_3x3 3",
               "2: sep_conv_5x5 0, sep_conv_5x5 1; 3: sep_conv_5x5 2, sep_conv_5x5 0; 4: sep_conv_5x5 3, "
               "sep_conv_5x5 0; 5: sep_conv_5x5 3, sep_conv_5x5 4",
               "2: sep_conv_5x5 1, sep_conv_5x5 0; 3: sep_conv_5x5 2, sep_conv_5x5 0; 4: sep_conv_3x3 3, "
               "sep_conv_3x3 2; 5: sep_conv_5x5 4, sep_conv_5x5 3",
               "2: max_pool_3x3 0; 3: dil_conv_5x5 2, max_pool_3x3 0; 4: sep_conv_3x3 3, sep_conv_5x5 2; "
               "5: skip_connect 4, sep_conv_3x3 3"},
              {2, 3, 4, 5}, {2, 6})},
      {"D-DARTS_threshold_sparse_cifar10_0.85_50", "Heuillet et al., arXiv 2108.09306",
       listed({"2: sep_conv_3x3 1, max_pool_3x3 0; 3: sep_conv_3x3 0, max_pool_3x3 2; 4: sep_conv_3x3 0, "
               "max_pool_3x3 2; 5: max_pool_3x3 0, dil_conv_5x5 4",
               "2: skip_connect 0, dil_conv_5x5 1; 3: sep_conv_5x5 1, sep_conv_5x5 2; 4: dil_conv_3x3 3, "
               "sep_conv_5x5 2; 5: sep_conv_5x5 4, sep_conv_5x5 0",
               "2: sep_conv_5x5 1, sep_conv_5x5 0; 3: sep_conv_3x3 1, max_pool_3x3 2; 4: sep_conv_5x5 1, "
               "skip_connect 0; 5: dil_conv_3x3 2, sep_conv_5x5 0",
               "2: sep_conv_5x5 0, sep_conv_5x5 1; 3: sep_conv_5x5 2, sep_conv_5x5 1; 4: dil_conv_3x3 2, "
               "dil_conv_3x3 1; 5: dil_conv_5x5 2, sep_conv_5x5 1",
               "2: dil_conv_5x5 1, max_pool_3x3 0; 3: sep_conv_5x5 2, max_pool_3x3 0; 4: sep_conv_5x5 1, "
               "sep_conv_5x5 3; 5: dil_conv_3x3 3, sep_conv_5x5 2",
               "2: sep_conv_5x5 1, sep_conv_5x5 0; 3: sep_conv_5x5 1, sep_conv_5x5 2; 4: sep_conv_5x5 2, "
               "dil_conv_3x3 1; 5: sep_conv_3x3 1, sep_conv_3x3 3",
               "2: sep_conv_3x3 0, sep_conv_5x5 1; 3: dil_conv_3x3 1, skip_connect 2; 4: skip_connect 2, "
               "skip_connect 0; 5: dil_conv_3x3 0, sep_conv_5x5 1",
               "2: sep_conv_5x5 1, sep_conv_3x3 0; 3: sep_conv_5x5 2, dil_conv_5x5 0; 4: sep_conv_5x5 3, "
               "dil_conv_3x3 2; 5: sep_conv_3x3 2"},
              {2, 3, 4, 5}, {2, 6})},
  };
  return table;
}

const std::vector<NamedGenotype>& dartopti_genotypes() {
  static const std::vector<NamedGenotype> table = {
      {"ResNet18", "He et al., CVPR 2016, as D-DARTS writes it",
       listed(
           {"2: simple_conv_3x3 0; 3: simple_conv_3x3 2, skip_connect 0; 4: simple_conv_3x3 3; 5: simple_conv_3x3 4, "
            "skip_connect 3"},
           {2, 3, 4, 5}, {1, 2, 3}, {0, 0, 0, 0})},
      {"ResNet50", "He et al., CVPR 2016, as D-DARTS writes it",
       listed({"2: bottleneck_1x3x1 0, skip_connect 0; 3: bottleneck_1x3x1 2, skip_connect 2; 4: bottleneck_1x3x1 3, "
               "skip_connect 3",
               "2: bottleneck_1x3x1 0, skip_connect 0; 3: bottleneck_1x3x1 2, skip_connect 2; 4: bottleneck_1x3x1 3, "
               "skip_connect 3; 5: bottleneck_1x3x1 4, skip_connect 4",
               "2: bottleneck_1x3x1 0, skip_connect 0; 3: bottleneck_1x3x1 2, skip_connect 2; 4: bottleneck_1x3x1 3, "
               "skip_connect 3; 5: bottleneck_1x3x1 4, skip_connect 4; 6: bottleneck_1x3x1 5, skip_connect 5; "
               "7: bottleneck_1x3x1 6, skip_connect 6"},
              {2, 3, 4, 5, 6, 7}, {1, 2, 3}, {0, 1, 2, 0})},
      {"Xception", "Chollet, CVPR 2017, as D-DARTS writes it",
       listed({"4: simple_conv_1x1 0; 2: sep_conv_3x3 0; 3: sep_conv_3x3 2; 4: max_pool_3x3 3",
               "4: skip_connect 0; 2: sep_conv_3x3 0; 3: sep_conv_3x3 2; 4: sep_conv_3x3 3",
               "2: sep_conv_3x3 0; 3: sep_conv_3x3 2"},
              {2, 3, 4, 5}, {1, 2, 11, 12}, {0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2})},
      {"InceptionV4", "Szegedy et al., AAAI 2017, as D-DARTS writes it",
       listed(
           {"2: simple_conv_1x1 0; 3: avg_pool_3x3 0; 4: simple_conv_1x1 0; 6: simple_conv_1x1 0, simple_conv_1x1 3; "
            "5: simple_conv_3x3 4; 6: simple_conv_3x3 5, simple_conv_3x3 2",
            "2: simple_conv_1x1 0; 3: simple_conv_3x3 2; 4: simple_conv_3x3 3, max_pool_3x3 0",
            "2: simple_conv_1x1 0; 3: simple_conv_1x1 0; 4: avg_pool_3x3 0; 6: simple_conv_1x1 0, conv_7x1_1x7 3; "
            "5: conv_7x1_1x7 2; 6: conv_7x1_1x7 5, simple_conv_1x1 4",
            "2: simple_conv_1x1 0; 5: simple_conv_3x3 2; 3: simple_conv_1x1 0; 4: conv_7x1_1x7 3; "
            "5: simple_conv_3x3 4",
            "2: simple_conv_1x1 0; 4: simple_conv_1x1 0; 5: avg_pool_3x3 0; 6: simple_conv_1x1 0; 3: conv_3x1_1x3 2; "
            "6: conv_3x1_1x3 3, conv_3x1_1x3 4, simple_conv_1x1 5"},
           {2, 3, 4, 5, 6}, {4, 12}, {0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 4})},
      {"ResNet18_cifar100_threshold_sparse_0.85", "Heuillet et al., arXiv 2108.09306",
       listed({"2: bottleneck_1x3x1 1, bottleneck_1x3x1 0; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 2; 5: bottleneck_1x3x1 4, bottleneck_1x3x1 3",
               "2: bottleneck_1x3x1 1, bottleneck_1x3x1 0; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 2; 5: bottleneck_1x3x1 4, bottleneck_1x3x1 3",
               "2: bottleneck_1x3x1 1, bottleneck_1x3x1 0; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 2; 5: bottleneck_1x3x1 4, bottleneck_1x3x1 3",
               "2: bottleneck_1x3x1 1, bottleneck_1x3x1 0; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 2; 5: bottleneck_1x3x1 4, bottleneck_1x3x1 3"},
              {2, 3, 4, 5}, {1, 2, 3})},
      {"ResNet18_cifar10_threshold_sparse_0.85", "Heuillet et al., arXiv 2108.09306",
       listed(
           {"2: bottleneck_1x3x1 1, simple_conv_3x3 0; 3: bottleneck_1x3x1 2, max_pool_3x3 1; 4: bottleneck_1x3x1 3, "
            "conv_7x1_1x7 2; 5: conv_3x1_1x3 4, bottleneck_1x3x1 3",
            "2: bottleneck_1x3x1 1, simple_conv_3x3 0; 3: bottleneck_1x3x1 2, max_pool_3x3 1; 4: bottleneck_1x3x1 3, "
            "conv_7x1_1x7 2; 5: conv_3x1_1x3 4, bottleneck_1x3x1 3",
            "2: bottleneck_1x3x1 1, simple_conv_3x3 0; 3: bottleneck_1x3x1 2, max_pool_3x3 1; 4: bottleneck_1x3x1 3, "
            "conv_7x1_1x7 2; 5: conv_3x1_1x3 4, bottleneck_1x3x1 3",
            "2: bottleneck_1x3x1 1, simple_conv_3x3 0; 3: bottleneck_1x3x1 2, max_pool_3x3 1; 4: bottleneck_1x3x1 3, "
            "conv_7x1_1x7 2; 5: conv_3x1_1x3 4, bottleneck_1x3x1 3"},
           {2, 3, 4, 5}, {1, 2, 3})},
      {"ResNet50_cifar100_threshold_edge_0.85", "Heuillet et al., arXiv 2108.09306",
       listed({"2: bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: bottleneck_1x3x1 1, bottleneck_1x3x1 2; "
               "4: bottleneck_1x3x1 0, bottleneck_1x3x1 1, bottleneck_1x3x1 2, skip_connect 3, bottleneck_1x3x1 3; "
               "5: bottleneck_1x3x1 0, bottleneck_1x3x1 1, bottleneck_1x3x1 2, bottleneck_1x3x1 3, max_pool_3x3 4, "
               "bottleneck_1x3x1 4; 6: bottleneck_1x3x1 0, bottleneck_1x3x1 1, bottleneck_1x3x1 2, bottleneck_1x3x1 3, "
               "max_pool_3x3 4, bottleneck_1x3x1 4, max_pool_3x3 5, bottleneck_1x3x1 5; 7: bottleneck_1x3x1 0, "
               "bottleneck_1x3x1 1, bottleneck_1x3x1 3, max_pool_3x3 4, bottleneck_1x3x1 4, max_pool_3x3 5, "
               "bottleneck_1x3x1 5, max_pool_3x3 6, bottleneck_1x3x1 6",
               "2: skip_connect 0, bottleneck_1x3x1 0; 3: max_pool_3x3 0, bottleneck_1x3x1 0, bottleneck_1x3x1 1, "
               "conv_7x1_1x7 2, bottleneck_1x3x1 2; 4: simple_conv_3x3 0, bottleneck_1x3x1 0, simple_conv_3x3 1, "
               "conv_7x1_1x7 1, conv_7x1_1x7 2, bottleneck_1x3x1 2, max_pool_3x3 3, bottleneck_1x3x1 3; "
               "5: dil_conv_3x3 0, bottleneck_1x3x1 0, max_pool_3x3 1, bottleneck_1x3x1 1, conv_7x1_1x7 2, "
               "avg_pool_3x3 2, max_pool_3x3 3, avg_pool_3x3 3, max_pool_3x3 4, avg_pool_3x3 4; 6: simple_conv_3x3 0, "
               "bottleneck_1x3x1 0, simple_conv_3x3 1, conv_7x1_1x7 1, conv_7x1_1x7 2, avg_pool_3x3 2, max_pool_3x3 3, "
               "avg_pool_3x3 3, max_pool_3x3 4, avg_pool_3x3 4, avg_pool_3x3 5, max_pool_3x3 5; 7: conv_7x1_1x7 0, "
               "conv_3x1_1x3 0, max_pool_3x3 1, simple_conv_1x1 1, conv_3x1_1x3 2, conv_7x1_1x7 2, max_pool_3x3 3, "
               "avg_pool_3x3 3, max_pool_3x3 4, avg_pool_3x3 4, avg_pool_3x3 5, max_pool_3x3 5, bottleneck_1x3x1 6, "
               "max_pool_3x3 6",
               "2: conv_7x1_1x7 0, bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: conv_7x1_1x7 0, bottleneck_1x3x1 0, "
               "conv_7x1_1x7 1, bottleneck_1x3x1 1, conv_7x1_1x7 2, bottleneck_1x3x1 2; 4: conv_7x1_1x7 0, "
               "bottleneck_1x3x1 0, simple_conv_3x3 1, conv_7x1_1x7 1, conv_7x1_1x7 2, bottleneck_1x3x1 2, "
               "conv_7x1_1x7 3, bottleneck_1x3x1 3; 5: conv_7x1_1x7 0, bottleneck_1x3x1 0, skip_connect 1, "
               "bottleneck_1x3x1 1, simple_conv_3x3 2, bottleneck_1x3x1 2, conv_7x1_1x7 3, bottleneck_1x3x1 3, "
               "max_pool_3x3 4, bottleneck_1x3x1 4; 6: conv_3x1_1x3 0, skip_connect 0, skip_connect 1, "
               "simple_conv_3x3 1, conv_7x1_1x7 2, bottleneck_1x3x1 2, max_pool_3x3 3, bottleneck_1x3x1 3, "
               "bottleneck_1x3x1 4, max_pool_3x3 4, bottleneck_1x3x1 5, max_pool_3x3 5; 7: conv_7x1_1x7 0, "
               "max_pool_3x3 0, conv_7x1_1x7 1, bottleneck_1x3x1 1, conv_7x1_1x7 2, bottleneck_1x3x1 2, "
               "bottleneck_1x3x1 3, max_pool_3x3 3, sep_conv_5x5 4, max_pool_3x3 4, conv_3x1_1x3 5, max_pool_3x3 5, "
               "max_pool_3x3 6, skip_connect 6",
               "2: bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: bottleneck_1x3x1 1, bottleneck_1x3x1 2; "
               "4: bottleneck_1x3x1 0, bottleneck_1x3x1 1, bottleneck_1x3x1 2, skip_connect 3, bottleneck_1x3x1 3; "
               "5: bottleneck_1x3x1 0, bottleneck_1x3x1 1, bottleneck_1x3x1 2, bottleneck_1x3x1 3, max_pool_3x3 4, "
               "bottleneck_1x3x1 4; 6: bottleneck_1x3x1 0, bottleneck_1x3x1 1, bottleneck_1x3x1 2, bottleneck_1x3x1 3, "
               "max_pool_3x3 4, bottleneck_1x3x1 4, max_pool_3x3 5, bottleneck_1x3x1 5; 7: bottleneck_1x3x1 0, "
               "bottleneck_1x3x1 1, bottleneck_1x3x1 3, max_pool_3x3 4, bottleneck_1x3x1 4, max_pool_3x3 5, "
               "bottleneck_1x3x1 5, max_pool_3x3 6, bottleneck_1x3x1 6"},
              {4, 5, 6, 7}, {1, 2, 3})},
      {"ResNet50_cifar10_threshold_sparse_0.85", "Heuillet et al., arXiv 2108.09306",
       listed({"2: bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 1; 5: bottleneck_1x3x1 3, bottleneck_1x3x1 4; "
               "6: bottleneck_1x3x1 5, bottleneck_1x3x1 4; 7: bottleneck_1x3x1 5, bottleneck_1x3x1 1",
               "2: bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 0; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 2; 5: conv_7x1_1x7 3, max_pool_3x3 4; 6: bottleneck_1x3x1 5, "
               "dil_conv_3x3 4; 7: max_pool_3x3 5, conv_7x1_1x7 3",
               "2: bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 2; 5: bottleneck_1x3x1 3, bottleneck_1x3x1 4; "
               "6: max_pool_3x3 4, max_pool_3x3 5; 7: max_pool_3x3 6, max_pool_3x3 4",
               "2: bottleneck_1x3x1 0, bottleneck_1x3x1 1; 3: bottleneck_1x3x1 2, bottleneck_1x3x1 1; "
               "4: bottleneck_1x3x1 3, bottleneck_1x3x1 1; 5: bottleneck_1x3x1 3, bottleneck_1x3x1 4; "
               "6: bottleneck_1x3x1 5, bottleneck_1x3x1 4; 7: bottleneck_1x3x1 5, bottleneck_1x3x1 1"},
              {4, 5, 6, 7}, {1, 2, 3})},
      {"Xception_cifar10_threshold_sparse_0.85", "Heuillet et al., arXiv 2108.09306",
       listed({kXceptionOuter, kXceptionOuter, kXceptionOuter, kXceptionMiddle, kXceptionMiddle, kXceptionMiddle,
               kXceptionMiddle, kXceptionMiddle, kXceptionMiddle, kXceptionMiddle, kXceptionMiddle, kXceptionOuter,
               "2: sep_conv_3x3 0; 3: sep_conv_3x3 2"},
              {2, 3, 4, 5}, {1, 2, 11, 12})},
  };
  return table;
}

}  // namespace mixop::ddarts
