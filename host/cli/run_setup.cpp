#include "host/cli/run_setup.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace mixop::cli {

ComponentOptions options_of(const Config& config) {
  ComponentOptions options;
  for (const auto& [component, own] : config.options)
    for (const auto& [name, option] : own) options[component][name] = option.text;
  return options;
}

DatasetHandle open_data(const Config& config, const PluginRegistry& plugins, const ComponentOptions& options) {
  const char* environment = std::getenv("MIXOP_DATA");
  const std::string folder = !config.data.dir.empty() ? config.data.dir : environment != nullptr ? environment : "";
  const auto own = options.find(config.data.name);
  return DatasetHandle(config.data.name, plugins.dataset(config.data.name), folder,
                       own == options.end() ? std::map<std::string, std::string>{} : own->second);
}

std::string now_utc() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::tm broken{};
  gmtime_r(&now, &broken);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &broken);
  return text;
}

std::vector<std::string> plugin_lines(const PluginRegistry& plugins) {
  std::vector<std::string> lines;
  for (const auto& plugin : plugins.plugins())
    lines.push_back(plugin->id + " " + plugin->version + " " + plugin->file.sha256);
  return lines;
}

void check_output(const std::filesystem::path& out, bool resume, bool overwrite) {
  const auto refuse = [&](const std::string& problem) { throw Error(ErrorCode::usage, out.string() + problem); };
  const auto status = std::filesystem::symlink_status(out);
  const bool exists = std::filesystem::exists(status);
  if (exists && !std::filesystem::is_regular_file(status))
    refuse(std::filesystem::is_directory(status)
               ? " cannot be written: it is a folder; name a file in it"
               : " is a link or a device; name a regular file, which can be replaced whole");
  if (exists && !resume && !overwrite)
    refuse(" exists; go on with it by --resume, replace it by --overwrite, or name another --out");
  if (!exists && resume) refuse(" does not exist, so there is nothing to resume; leave --resume out");
  const std::filesystem::path folder = out.has_parent_path() ? out.parent_path() : ".";
  if (!std::filesystem::is_directory(folder))
    refuse(": the folder " + folder.string() + " does not exist; make it first");
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse(" cannot be written: no write permission in " + folder.string());
}

}  // namespace mixop::cli
