#pragma once

#include <memory>

#include "host/runtime/network.hpp"

namespace mixop {

/// A graph of the image domain. `target` is that of its tensors.
std::unique_ptr<Network> compile_image_network(const NetworkGraph& graph, const OperatorCatalog& operators,
                                               const Target& target, Execution execution);

}  // namespace mixop
