#include "discrete_network.hpp"

#include <algorithm>

#include "discrete_cell.hpp"
#include "discrete_check.hpp"
#include "mixop/image_blocks.hpp"

namespace mixop::ddarts {
namespace {

constexpr std::size_t kFewestToDeepen = 5, kPublished = 8, kMostReductions = 2;
constexpr std::int64_t kImagenetWindow = 7;

/// Deeper networks: the searched cells of each third are repeated within the third of the network, and its two
/// reduction positions take the searched reduction cells. For 8 cells, as published: i/3; 2; 3 + i mod 2; 5; 6 + i mod
/// 2, where networks of 21 cells and more have searched reductions in the first third, too.
std::size_t deeper(std::size_t i, std::size_t layers, std::size_t cells) {
  const std::size_t first = cells / 3, second = 2 * cells / 3;
  if (i < layers / 3) return cells == kPublished ? i % cells / 3 : i / 3 % first;
  if (i == layers / 3) return first;
  if (i < 2 * layers / 3) return first + 1 + i % (second - first - 1);
  if (i == 2 * layers / 3) return second;
  return second + 1 + i % (cells - second - 1);
}

/// The cell that the auxiliary head follows: the last reduction, or that at two thirds where there is none.
std::size_t auxiliary_after(const std::vector<bool>& reductions) {
  const auto last = std::find(reductions.rbegin(), reductions.rend(), true);
  if (last == reductions.rend()) return 2 * reductions.size() / 3;
  return static_cast<std::size_t>(reductions.rend() - last) - 1;
}

}  // namespace

std::size_t cell_of_position(const Genotype& genotype, std::size_t i, std::size_t layers) {
  const std::size_t own = genotype.positions();
  if (layers <= own) return genotype.sequence ? static_cast<std::size_t>((*genotype.sequence)[i]) : i;
  const std::size_t reductions = genotype.reductions ? genotype.reductions->size() : kMostReductions;
  require(!genotype.sequence && own >= kFewestToDeepen && reductions <= kMostReductions,
          "space.layers: the genotype makes networks of up to " + std::to_string(own) + " cells, found " +
              std::to_string(layers) + "; the rule for deeper ones is for at least " + std::to_string(kFewestToDeepen) +
              " searched cells with two reductions at most");
  return deeper(i, layers, own);
}

std::vector<bool> reductions_of(const Genotype& genotype, std::size_t layers) {
  std::vector<bool> reductions(layers, false);
  const int count = static_cast<int>(layers);
  for (const int position : genotype.reductions.value_or(std::vector<int>{count / 3, 2 * count / 3}))
    if (position >= 0 && position < count) reductions[static_cast<std::size_t>(position)] = true;
  return reductions;
}

NetworkGraph discrete_network(const std::string& space, const SpaceConfig& config, const Genotype& genotype) {
  check_config(space, config);
  check_genotype(space, genotype);
  const auto layers = static_cast<std::size_t>(config.layers);
  ImageNetworkSpec spec;
  spec.space = config;
  spec.reductions = reductions_of(genotype, layers);
  spec.stem_halvings = 2;
  spec.imagenet_window = kImagenetWindow;
  spec.auxiliary_after = auxiliary_after(spec.reductions);
  spec.auxiliary_norm = spec.auxiliary_fits = true;
  const auto make_cell = [&](std::size_t i, const CellPlace& place) {
    return listed_cell(genotype.cells[cell_of_position(genotype, i, layers)], place);
  };
  return image_network(spec, make_cell, {});
}

}  // namespace mixop::ddarts
