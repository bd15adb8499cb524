#include "host/session/archived_plugins.hpp"

#include <algorithm>

namespace mixop {
namespace {

constexpr char kPlugins[] = "/provenance/plugins";

std::string id_of(const std::string& line) { return line.substr(0, line.find(' ')); }

bool is_loaded(const std::string& id, const PluginRegistry& plugins) {
  return std::any_of(plugins.plugins().begin(), plugins.plugins().end(),
                     [&](const auto& plugin) { return plugin->id == id; });
}

std::vector<std::string> lines_of(const PluginRegistry& plugins) {
  std::vector<std::string> lines;
  for (const auto& plugin : plugins.plugins())
    lines.push_back(plugin->id + " " + plugin->version + " " + plugin->file.sha256);
  return lines;
}

/// The archive's lines that are none of the loaded files'.
std::vector<std::string> others_of(const Archive& archive, const PluginRegistry& plugins) {
  const std::vector<std::string> now = lines_of(plugins);
  std::vector<std::string> others;
  for (const std::string& line : archive.texts(kPlugins))
    if (std::find(now.begin(), now.end(), line) == now.end()) others.push_back(line);
  return others;
}

}  // namespace

std::vector<std::string> plugin_lines(const PluginRegistry& plugins, const Archive* resumed) {
  std::vector<std::string> lines = lines_of(plugins);
  if (resumed == nullptr) return lines;
  for (std::string& line : others_of(*resumed, plugins)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> missing_plugins(const Archive& archive, const PluginRegistry& plugins) {
  std::vector<std::string> missing;
  if (!archive.has(kPlugins)) return missing;
  for (const std::string& line : others_of(archive, plugins))
    if (!is_loaded(id_of(line), plugins)) missing.push_back(line.substr(0, line.rfind(' ')));
  return missing;
}

std::vector<std::string> changed_plugins(const Archive& archive, const PluginRegistry& plugins) {
  std::vector<std::string> changes;
  for (const std::string& line : others_of(archive, plugins))
    changes.push_back("the plugin " + id_of(line) +
                      (is_loaded(id_of(line), plugins) ? " is another file than" : " is not loaded, and was") +
                      " when the archive was written");
  return changes;
}

}  // namespace mixop
