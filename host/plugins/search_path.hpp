#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mixop {

/// A place where plugins are looked for.
struct PluginPlace {
  std::filesystem::path path;  ///< absolute: a folder, or one plugin file
  bool required = false;       ///< a file that the user named: where it is refused, the program stops
  bool own = false;            ///< the folder of the plugins that come with mixop
};

/// The places in the order in which they are searched: `plugin_dirs` (the values of --plugin-dir: folders or files),
/// the absolute entries of `environment` (MIXOP_PLUGIN_PATH, separated by colons; nullptr: unset), then `installed`,
/// the plugins that come with mixop. Throws a usage error for a --plugin-dir that does not exist and for a relative
/// entry of MIXOP_PLUGIN_PATH.
std::vector<PluginPlace> plugin_places(const std::vector<std::string>& plugin_dirs, const char* environment,
                                       const std::filesystem::path& installed);

/// `../lib/mixop/plugins` beside the folder of this program.
std::filesystem::path installed_plugin_folder();

/// `../lib/mixop/libmixop_cuda.so` beside the folder of this program.
std::filesystem::path installed_cuda_library();

}  // namespace mixop
