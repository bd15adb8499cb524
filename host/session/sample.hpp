#pragma once

#include <cstdint>

#include "host/config/config.hpp"
#include "host/plugins/registry.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

/// A random genotype of the space that a search's config describes: what the derivation of DARTS makes of alphas drawn
/// from a normal distribution. So every operation but `none` is as likely on an edge as any other, and so is every choice
/// of a node's edges. A function of the config and `seed`.
Genotype sampled_genotype(const Config& config, const PluginRegistry& plugins, std::uint64_t seed);

}  // namespace mixop
