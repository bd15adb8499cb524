#include "host/plugins/search_path.hpp"

#include <boost/dll/runtime_symbol_info.hpp>

#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

PluginPlace named_place(const std::string& value) {
  const fs::path path = value.empty() ? fs::path() : fs::absolute(value).lexically_normal();
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (value.empty() || !fs::exists(status))
    throw Error(ErrorCode::usage, "--plugin-dir '" + printable(value) +
                                      "': expected a folder of plugins or a plugin file, found " +
                                      (value.empty() ? "an empty name" : "nothing at " + path.string()));
  return {path, !fs::is_directory(status)};
}

fs::path library_folder() {
  const fs::path program = boost::dll::program_location().string();
  return (program.parent_path().parent_path() / "lib" / "mixop").lexically_normal();
}

}  // namespace

std::vector<PluginPlace> plugin_places(const std::vector<std::string>& plugin_dirs, const char* environment,
                                       const fs::path& installed) {
  std::vector<PluginPlace> places;
  for (const std::string& value : plugin_dirs) places.push_back(named_place(value));
  for (const std::string& entry : split(environment == nullptr ? "" : environment, ':')) {
    if (entry.empty()) continue;
    if (!fs::path(entry).is_absolute())
      throw Error(ErrorCode::usage,
                  "MIXOP_PLUGIN_PATH: expected absolute folders separated by colons, found '" + printable(entry) +
                      "'. Write the whole path: what a relative one means depends on the current folder");
    places.push_back({entry, false});
  }
  places.push_back({installed, /*required=*/false, /*own=*/true});
  return places;
}

fs::path installed_plugin_folder() { return library_folder() / "plugins"; }

fs::path installed_cuda_library() { return library_folder() / "libmixop_cuda.so"; }

}  // namespace mixop
