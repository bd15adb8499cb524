#include "host/plugins/open_registry.hpp"

#include <cstdlib>

#include "host/plugins/self_test.hpp"
#include "host/plugins/tested_plugins.hpp"
#include "host/text/printable.hpp"

namespace mixop {

PluginRegistry open_registry(const std::vector<std::string>& plugin_dirs, const std::optional<PluginLock>& lock,
                             std::ostream& warnings) {
  const std::filesystem::path installed = installed_plugin_folder();
  std::error_code missing;
  const std::filesystem::path own = std::filesystem::canonical(installed, missing);
  const auto before_load = [&warnings, lock, own](const PluginFile& file) {
    if (lock) lock->require_listed(file);
    // mixop's own plugins are tried by its own tests.
    TestedPlugins tested = TestedPlugins::of_user();
    if (file.path.parent_path() == own || tested.contains(file.sha256)) return;
    warnings << "mixop: trying the new plugin " << printable(file.path.string()) << " in a process of its own\n"
             << std::flush;
    require_passed(self_test(file, self_test_command()), file);
    require_unchanged(file);
    if (!tested.add(file.sha256))
      warnings
          << "mixop: warning: that it passed cannot be written down, so it will be tried again: set XDG_STATE_HOME "
             "to a folder of yours\n";
  };
  PluginRegistry registry(HostTraits::current(), before_load);
  registry.load(plugin_places(plugin_dirs, std::getenv("MIXOP_PLUGIN_PATH"), installed));
  for (const RefusedPlugin& plugin : registry.refused())
    warnings << "mixop: warning: " << printable_message(plugin.reason.what()) << '\n';
  for (const std::string& clash : registry.clashes()) warnings << "mixop: warning: " << printable_message(clash) << '\n';
  if (lock) lock->require_complete(registry);
  return registry;
}

std::vector<std::string> self_test_command() { return {"/proc/self/exe", "plugins", "check", "--trials"}; }

}  // namespace mixop
