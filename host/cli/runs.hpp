#pragma once

#include "host/cli/command_line.hpp"
#include "host/cli/run_setup.hpp"

namespace mixop::cli {

// `mixop search` and `mixop train` for other commands, with plugins that are loaded already.

/// What such a command line means. Throws as the command does. The genotype of a training need not be there yet.
RunInputs search_inputs(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);
RunInputs training_inputs(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);

/// Why the network of such a training's genotype cannot be built; empty where it can.
std::string network_defect(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);

/// What the command does, but for printing its result. Answers its exit code: 0, or 128 and the signal that interrupted
/// it.
int run_search(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);
int run_training(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);

}  // namespace mixop::cli
