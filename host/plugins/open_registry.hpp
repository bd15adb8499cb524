#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "host/plugins/plugin_lock.hpp"
#include "host/plugins/registry.hpp"

namespace mixop {

/// The registry that commands work with: plugins of `plugin_dirs` (--plugin-dir), MIXOP_PLUGIN_PATH and the installed
/// folder. A plugin from elsewhere than the installed folder passes the self-test in a child process before it is
/// loaded for the first time. Refused plugins are reported to `warnings`, a line each; a refused file of `plugin_dirs`
/// throws. With a `lock`, only the plugins that it lists are loaded, and one of them that is not throws.
PluginRegistry open_registry(const std::vector<std::string>& plugin_dirs, const std::optional<PluginLock>& lock,
                             std::ostream& warnings);

/// The command that runs the trials of the file whose path is appended to it: this program.
std::vector<std::string> self_test_command();

}  // namespace mixop
