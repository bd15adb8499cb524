#pragma once

#include <string>

#include "mixop/space.hpp"

namespace mixop {

/// Puts the network that space.baseline means into `config`: `text` is empty for none, the name of one of the space's
/// genotypes, or a genotype's JSON. Throws a usage error where the text means nothing or the space, `name`, does not
/// start from baselines.
void set_baseline(SpaceConfig& config, const std::string& text, const SearchSpace& space, const std::string& name);

}  // namespace mixop
