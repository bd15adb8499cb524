#include "host/plugins/registry.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstdio>
#include <cstring>
#include <deque>

#include "host/genotype/operation_name.hpp"
#include "host/plugins/cuda_library.hpp"
#include "host/plugins/names.hpp"
#include "host/plugins/option_values.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "mixop/abi/ext/log.h"
#include "mixop/version.h"

namespace mixop {
namespace {

namespace fs = std::filesystem;

using Key = std::pair<std::string, std::string>;  // group, name

struct Entry {
  const PluginInfo* plugin;
  const PluginComponent* component;
};

// Plugins have no context to log into, so their lines go where the host's own messages go.
void log_of_plugin(std::int32_t level, const char* message) {
  if (level <= MIXOP_LOG_DEBUG || message == nullptr) return;
  std::fprintf(stderr, "mixop: plugin: %s%s\n", level >= MIXOP_LOG_WARNING ? "warning: " : "",
               printable_message(message).c_str());
}

const MixopHost& host_table() {
  static const MixopLog log = {sizeof(MixopLog), 0, log_of_plugin};
  static const MixopHost host = {sizeof(MixopHost), MIXOP_VERSION_STRING, [](const char* id) -> const void* {
                                   return std::strcmp(id, MIXOP_LOG_EXTENSION) == 0 ? &log : nullptr;
                                 }};
  return host;
}

// Calls into the plugin and turns everything that comes back, an exception included, into a refusal.
template <class Call>
auto call_plugin(PluginCheck check, const PluginFile& file, const std::string& what, Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const PluginRefused&) {
    throw;
  } catch (const std::exception& error) {
    throw PluginRefused(check, file.path, what + " failed: " + error.what());
  } catch (...) {
    throw PluginRefused(check, file.path, what + " threw something that is no std::exception");
  }
}

namespace dll = boost::dll;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// Loads the file that was checked, whatever lies at its path by now. One that looks for libraries beside itself is
/// loaded by its path, from which the loader knows where that is; nobody else can change what is there (check_file).
dll::shared_library load_library(const PluginFile& file) {
  // RTLD_NODELETE: destructors, threads and registrations of a library may outlive its handle, so it is never unmapped.
  const auto mode = static_cast<dll::load_mode::type>(static_cast<int>(dll::load_mode::rtld_now) |
                                                      static_cast<int>(dll::load_mode::rtld_local) | RTLD_NODELETE);
  const std::string path = file.searches_folder ? file.path.string() : file.opened->path();
  file.opened->keep();
  return call_plugin(PluginCheck::load, file, "loading", [&] {
    require_unchanged(file);
    try {
      return dll::shared_library(dll::fs::path(path), mode);
    } catch (const std::exception& error) {
      throw PluginRefused(PluginCheck::load, file.path,
                          "loading failed: " + replaced(error.what(), path, file.path.string()));
    }
  });
}

// A plugin with CUDA code may need LibTorch's CUDA libraries, which are not loaded for those that do without.
dll::shared_library load_library_with_cuda(const PluginFile& file) {
  try {
    return load_library(file);
  } catch (const PluginRefused& without) {
    if (file.note.cuda_version == 0) throw;
    try {
      load_cuda();
    } catch (const Error& error) {
      throw PluginRefused(PluginCheck::load, file.path,
                          without.problem() + "\nIt has CUDA code, and " + std::string(error.what()));
    }
  }
  return load_library(file);
}

const MixopPluginDescriptor* open_library(const PluginFile& file) {
  const dll::shared_library library = load_library_with_cuda(file);
  require_unchanged(file);
  if (!library.has(MIXOP_PLUGIN_SYMBOL))
    throw PluginRefused(PluginCheck::symbol, file.path,
                        "the loader does not find " MIXOP_PLUGIN_SYMBOL
                        ", which its symbol table names: its hash table is damaged. Rebuild it");
  const auto entry = library.get<const MixopPluginDescriptor*()>(MIXOP_PLUGIN_SYMBOL);
  return call_plugin(PluginCheck::symbol, file, MIXOP_PLUGIN_SYMBOL "()", [&] { return entry(); });
}

void run_init(const PluginContents& contents, const PluginFile& file) {
  if (contents.init == nullptr) return;
  call_plugin(PluginCheck::init, file, "init",
              [&] { checked("", [&](MixopError* error) { return contents.init(&host_table(), error); }); });
}

// Builds and destroys one object with the default options.
void try_factory(const PluginComponent& component, const PluginFile& file) {
  const auto* factory = std::get_if<MixopFactory>(&component.table);
  if (factory == nullptr) return;
  const std::string what = "creating the " + noun_of(component.interface) + " '" + component.name + "'";
  call_plugin(PluginCheck::factory, file, what, [&] {
    const OptionValues options(component.name, factory->options, factory->option_count);
    void* object = nullptr;
    checked("", [&](MixopError* error) { return factory->create(options.data(), options.size(), &object, error); });
    if (object == nullptr) throw PluginRefused(PluginCheck::factory, file.path, what + " returned NULL");
    factory->destroy(object);
  });
}

constexpr char kOwnPrefix[] = "mixop_";  // of the files of mixop's own plugins

/// The plugins of a folder, in the order of their names.
std::vector<fs::path> plugin_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::directory_iterator item(folder, failure), end; !failure && item != end; item.increment(failure))
    if (item->path().extension() == ".so") files.push_back(item->path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<ComponentInfo> infos_of(const std::vector<PluginComponent>& components) {
  std::vector<ComponentInfo> infos;
  for (const PluginComponent& component : components)
    infos.push_back({component.kind, component.interface, component.name, component.group, component.summary});
  return infos;
}

}  // namespace

struct PluginRegistry::Impl {
  HostTraits host;
  BeforeLoad before_load;
  std::vector<std::unique_ptr<PluginInfo>> plugins;
  std::deque<PluginComponent> components;  // does not move what it holds
  std::map<Key, Entry> entries;
  std::vector<RefusedPlugin> refused;
  std::vector<std::string> clashes;

  const PluginInfo* loaded_from(const fs::path& path) const;
  void require_new(const PluginContents& contents, const PluginFile& file) const;
  const PluginInfo& load(const fs::path& path, std::vector<ComponentInfo>& seen);
  void load_or_refuse(const fs::path& file);
  const PluginInfo& adopt(PluginFile file, PluginContents contents);
  const Entry& find(const std::string& group, const std::string& name) const;
  std::vector<std::string> names(const std::string& group) const;
};

const PluginInfo* PluginRegistry::Impl::loaded_from(const fs::path& path) const {
  std::error_code failure;
  const fs::path resolved = fs::canonical(path, failure);
  for (const auto& plugin : plugins)
    if (!failure && plugin->file.path == resolved) return plugin.get();
  return nullptr;
}

void PluginRegistry::Impl::require_new(const PluginContents& contents, const PluginFile& file) const {
  for (const auto& plugin : plugins)
    if (plugin->id == contents.id)
      throw PluginRefused(PluginCheck::descriptor, file.path,
                          "its id '" + contents.id + "' is taken by " + plugin->file.path.string() +
                              ", which was found first. Remove one of the two");
}

const PluginInfo& PluginRegistry::Impl::load(const fs::path& path, std::vector<ComponentInfo>& seen) {
  if (path.is_absolute())
    if (const PluginInfo* loaded = loaded_from(path)) return *loaded;
  PluginFile file = check_file(path, host);
  if (before_load) before_load(file);
  PluginContents contents = read_descriptor(open_library(file), file);
  require_new(contents, file);
  seen = infos_of(contents.components);
  run_init(contents, file);
  for (const PluginComponent& component : contents.components) try_factory(component, file);
  return adopt(std::move(file), std::move(contents));
}

const PluginInfo& PluginRegistry::Impl::adopt(PluginFile file, PluginContents contents) {
  plugins.push_back(std::make_unique<PluginInfo>(
      PluginInfo{contents.id, contents.version, contents.summary, std::move(file), infos_of(contents.components)}));
  const PluginInfo& plugin = *plugins.back();
  for (PluginComponent& component : contents.components) {
    components.push_back(std::move(component));
    const PluginComponent& kept = components.back();
    const Entry own{&plugin, &kept};
    const auto [taken, is_new] = entries.emplace(Key{kept.group, kept.name}, own);
    if (is_new) continue;
    const std::string qualified = plugin.id + "/" + kept.name;
    entries.emplace(Key{kept.group, qualified}, own);
    clashes.push_back("the " + noun_of(kept.group) + " '" + kept.name + "' of " + plugin.file.path.string() +
                      " has the name of one of " + taken->second.plugin->file.path.string() +
                      ", which it does not take the place of; it is used as '" + qualified + "'");
  }
  return plugin;
}

std::vector<std::string> PluginRegistry::Impl::names(const std::string& group) const {
  std::vector<std::string> names;
  for (auto entry = entries.lower_bound({group, ""}); entry != entries.end() && entry->first.first == group; ++entry)
    names.push_back(entry->first.second);
  return names;
}

const Entry& PluginRegistry::Impl::find(const std::string& group, const std::string& given) const {
  const bool is_operation = group == MIXOP_OPERATOR_INTERFACE || group == kActivations;
  const std::string name(is_operation ? component_of(given) : given);
  const auto found = entries.find({group, name});
  if (found != entries.end()) return found->second;
  const auto cut = name.find('/');
  const auto plain = cut == std::string::npos ? entries.end() : entries.find({group, name.substr(cut + 1)});
  if (plain != entries.end() && plain->second.plugin->id == name.substr(0, cut)) return plain->second;
  for (const RefusedPlugin& plugin : refused)
    for (const ComponentInfo& component : plugin.components)
      if (component.group == group && component.name == name) throw plugin.reason;
  const std::vector<std::string> known = names(group);
  std::string message = unknown_name(noun_of(group), name, known);
  if (refused.empty() && did_you_mean(name, known).empty())
    message += ". Where a plugin of its own brings it, name that by --plugin-dir";
  for (const RefusedPlugin& plugin : refused) message += "\n" + std::string(plugin.reason.what());
  throw Error(ErrorCode::usage, message);
}

PluginRegistry::PluginRegistry(HostTraits host, BeforeLoad before_load) : impl_(std::make_unique<Impl>()) {
  impl_->host = host;
  impl_->before_load = std::move(before_load);
}
PluginRegistry::~PluginRegistry() = default;
PluginRegistry::PluginRegistry(PluginRegistry&&) noexcept = default;
PluginRegistry& PluginRegistry::operator=(PluginRegistry&&) noexcept = default;

const PluginInfo& PluginRegistry::load_file(const fs::path& path) {
  std::vector<ComponentInfo> seen;
  return impl_->load(path, seen);
}

void PluginRegistry::Impl::load_or_refuse(const fs::path& file) {
  for (const RefusedPlugin& known : refused)
    if (known.path == file) return;
  std::vector<ComponentInfo> seen;
  try {
    load(file, seen);
  } catch (const PluginRefused& reason) {
    refused.push_back({file, reason, std::move(seen)});
  }
}

void PluginRegistry::load_folder(const fs::path& folder) {
  for (const fs::path& file : plugin_files(folder)) impl_->load_or_refuse(file);
}

void PluginRegistry::load(const std::vector<PluginPlace>& places) {
  // Nobody takes the names of mixop's own.
  for (const PluginPlace& place : places)
    for (const fs::path& file : place.own ? plugin_files(place.path) : std::vector<fs::path>())
      if (file.filename().string().starts_with(kOwnPrefix)) impl_->load_or_refuse(file);
  for (const PluginPlace& place : places) {
    if (place.required)
      load_file(place.path);
    else
      load_folder(place.path);
  }
}

const std::vector<std::unique_ptr<PluginInfo>>& PluginRegistry::plugins() const { return impl_->plugins; }
const std::vector<RefusedPlugin>& PluginRegistry::refused() const { return impl_->refused; }
const std::vector<std::string>& PluginRegistry::clashes() const { return impl_->clashes; }

const MixopOperator& PluginRegistry::op(const std::string& name) const {
  return std::get<MixopOperator>(impl_->find(MIXOP_OPERATOR_INTERFACE, name).component->table);
}

const MixopOperator& PluginRegistry::activation(const std::string& name) const {
  return std::get<MixopOperator>(impl_->find(kActivations, name).component->table);
}

const MixopDataset& PluginRegistry::dataset(const std::string& name) const {
  return std::get<MixopDataset>(impl_->find(MIXOP_DATASET_INTERFACE, name).component->table);
}

const NamedStrategy& PluginRegistry::strategy(const std::string& name) const {
  return std::get<NamedStrategy>(impl_->find(MIXOP_STRATEGY_INTERFACE, name).component->table);
}

const MixopFactory& PluginRegistry::factory(const std::string& interface, const std::string& name) const {
  const auto* table = std::get_if<MixopFactory>(&impl_->find(interface, name).component->table);
  if (table == nullptr)
    throw Error(ErrorCode::usage, "'" + name + "' of " + interface + " is no C++ interface and has no factory");
  return *table;
}

std::vector<std::string> PluginRegistry::names(const std::string& group) const { return impl_->names(group); }

const std::string& PluginRegistry::summary(const std::string& group, const std::string& name) const {
  const Entry& found = impl_->find(group, name);
  return found.component->summary.empty() ? found.plugin->summary : found.component->summary;
}

const PluginInfo& PluginRegistry::owner(const std::string& group, const std::string& name) const {
  return *impl_->find(group, name).plugin;
}

std::string PluginRegistry::called(const std::string& kind, const std::string& group, const std::string& name) const {
  const std::string& id = owner(group, name).id;
  return kind + " '" + name + "'" + (id.starts_with("mixop.") ? "" : " (plugin " + id + ")");
}

}  // namespace mixop
