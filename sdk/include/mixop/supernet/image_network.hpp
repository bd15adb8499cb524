#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mixop/space.hpp"
#include "mixop/supernet/cells.hpp"
#include "mixop/supernet/layers.hpp"

namespace mixop::supernet {

/// Throws a usage error where no image network can be built for the config: fewer than 2 channels or classes, no cells,
/// images of fewer than 4 pixels a side. `space` names the space in it.
void check_config(const std::string& space, const SpaceConfig& config);

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

/// Makes cell `index` of the network for its place.
using CellMaker = std::function<std::unique_ptr<ImageCell>(std::size_t index, const CellPlace& place)>;

/// Stem, a chain of cells, pooling, linear classifier (DARTS section 2.1), and where the spec asks for it the auxiliary
/// head, which runs in training only. A network with `alphas` is a supernet, whose cells see their edge weights; its
/// trace is the stem's output and every cell's. State is named stem..., cells.<i>..., auxiliary_head..., classifier....
std::unique_ptr<Network> make_image_network(const ImageNetworkSpec& spec, const CellMaker& make_cell,
                                            std::vector<AlphaDeclaration> alphas);

}  // namespace mixop::supernet
