#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/plugins/registry.hpp"

namespace mixop {

/// A plugin of a lock file. Its digest decides; the rest is for people.
struct LockedPlugin {
  std::string id;
  std::string version;
  std::string file;  ///< without its folder
  std::string tier;
  std::string sha256;
};

/// The plugins that a run may use: what `mixop plugins lock` writes and --locked reads. Its text is a function of the
/// plugins alone: sorted by id, without paths.
class PluginLock {
 public:
  /// Of all plugins that are loaded.
  static PluginLock of(const PluginRegistry& registry);
  /// A missing file is a usage error, any other that is no lock file bad data.
  static PluginLock read(const std::filesystem::path& file);

  /// The lock file that a new one would replace, or nothing; a usage error where `file` is anything else.
  static std::optional<PluginLock> replaceable(const std::filesystem::path& file);

  const std::vector<LockedPlugin>& plugins() const { return plugins_; }
  std::string text() const;
  /// Writes or replaces the file whole: at no moment is there half of it.
  void write(const std::filesystem::path& file) const;
  /// What this lock adds, changes and removes, a line each.
  std::string changes_since(const PluginLock& old) const;

  /// The check `lock`. Throws PluginRefused where the digest of `file` is not listed.
  void require_listed(const PluginFile& file) const;
  /// Throws Error plugin that names every listed plugin that is not loaded.
  void require_complete(const PluginRegistry& registry) const;

 private:
  const LockedPlugin* find(const std::string& id) const;

  std::filesystem::path file_;  // that it was read from
  std::vector<LockedPlugin> plugins_;
};

}  // namespace mixop
