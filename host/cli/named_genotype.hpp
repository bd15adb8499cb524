#pragma once

#include "host/cli/command_line.hpp"
#include "host/session/genotype_argument.hpp"

namespace mixop::cli {

/// read_genotype() with --space, or genotype_of_epoch() with --epoch, where they are given; what was ignored or chosen is
/// said.
GenotypeArgument named_genotype(const std::string& argument, const po::variables_map& values,
                                const PluginRegistry& plugins);

}  // namespace mixop::cli
