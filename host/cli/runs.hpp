#pragma once

#include "host/cli/command_line.hpp"
#include "host/config/config.hpp"

namespace mixop::cli {

// `mixop search` and `mixop train` for other commands, with plugins that are loaded already.

/// The config that such a command line means. Throws as the command does.
Config search_config(const Arguments& arguments, const OptionCatalog& catalog);
Config train_config(const Arguments& arguments, const OptionCatalog& catalog);

/// What the command does, but for printing its result. Answers its exit code: 0, or 128 and the signal that interrupted
/// it.
int run_search(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);
int run_training(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog);

}  // namespace mixop::cli
