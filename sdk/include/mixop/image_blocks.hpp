#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/graph.hpp"
#include "mixop/space.hpp"

// What spaces of image cells share: blocks under the names of DARTS' published code, and the network around cells.

namespace mixop {

/// Throws a usage error where no image network can be described for the config: fewer than 2 channels or classes, no
/// cells, images of fewer than 4 pixels a side. `space` names the space in it.
void check_config(const std::string& space, const SpaceConfig& config);

/// A block of one structure, whose state is named `<name>.<stage>`.
Block fixed_block(std::string name, std::string kind, Structure structure, int reads);

/// The 3x3 convolution and norm that images of CIFAR's size begin with: "stem".
Block cifar_stem(std::int64_t in, std::int64_t out);

/// Two stems for large images: "stem0" feeds the older input of the first cell, "stem1" halves it for the newer one.
/// They halve `halvings` times in all, 2 or 3.
std::vector<Block> imagenet_stems(std::int64_t in, std::int64_t out, std::int64_t halvings);

/// Whether a network gets those: by `kind`, which is "cifar", "imagenet", or "auto": where the longer side has 128
/// pixels or more. Throws a usage error for another kind.
bool has_imagenet_stem(const std::string& kind, const ImageShape& input);

struct AuxiliaryHead {
  bool imagenet = false;  ///< pooling of stride 2 instead of 3
  bool last_norm = true;  ///< whether a norm follows the last convolution; none does in DARTS on ImageNet
  bool fits = false;      ///< maps too small for the pooling are pooled to 2x2 pixels instead of refused
};

/// The auxiliary classifier of DARTS on a feature map. Throws a usage error where the map is too small for it.
Structure auxiliary_head(const ImageShape& features, std::int64_t classes, const AuxiliaryHead& kind);

/// Pooling and a linear layer: "classifier.weight" and "classifier.bias". With a `window` of pixels a side the map is
/// pooled by that, or by less where it is smaller; 0 pools all of it.
Block classifier(const ImageShape& features, std::int64_t classes, std::int64_t window, int reads);

/// Where a cell stands in the network.
struct CellPlace {
  ImageShape older;            ///< output of the cell before the last one
  ImageShape newer;            ///< output of the last cell
  std::int64_t channels = 16;  ///< of every node
  bool reduction = false;      ///< edges from the inputs have stride 2
};

/// A cell of two inputs with what brings them to one shape: ReLU, 1x1 convolution, batch norm; a factorized reduction
/// where the older input has twice the resolution. Nodes 2 and 3 are these, which people know as 0 and 1: node n of a
/// topology or a genotype is node_of(n). Without output.
Cell preprocessed_cell(const CellPlace& place, bool affine);
constexpr int node_of(int published) { return published + 2; }

/// Names nodes up to `published` as people know them.
void label_nodes(Cell& cell, int published);

/// What an operation from a node of a topology or a genotype is built for: stride 2 from the inputs of a reduction
/// cell.
OpSpec spec_at(const CellPlace& place, int from, bool affine);

/// The cell of a search: a choice on every edge, weighted by `row` of alpha set `set`.
Cell search_cell(const CellTopology& topology, const CellPlace& place, int set, int row);

/// The cell of a genotype. Drop-path masks each operation.
Cell discrete_cell(const CellGenotype& genotype, const CellPlace& place);

/// What an image network is around its cells. `space` gives sizes, stem, auxiliary loss and label smoothing.
struct ImageNetworkSpec {
  SpaceConfig space;
  std::vector<bool> reductions;      ///< one a cell: whether it halves the resolution, which doubles its channels
  std::int64_t stem_halvings = 3;    ///< of the ImageNet stem
  std::int64_t imagenet_window = 0;  ///< with that stem, side of the pooling before the classifier; 0: the whole map
  std::size_t auxiliary_after = 0;   ///< the cell that the auxiliary head follows, where `space` asks for one
  bool auxiliary_norm = false;       ///< see AuxiliaryHead
  bool auxiliary_fits = false;       ///< see AuxiliaryHead
};

/// Makes cell `index` of the network for its place; image_network() names it.
using CellMaker = std::function<Cell(std::size_t index, const CellPlace& place)>;

/// Stem, a chain of cells, pooling, linear classifier (DARTS section 2.1), and where the spec asks for it the auxiliary
/// head. State is named stem..., cells.<i>..., auxiliary_head..., classifier....
NetworkGraph image_network(const ImageNetworkSpec& spec, const CellMaker& make_cell, std::vector<AlphaSet> alphas);

}  // namespace mixop
