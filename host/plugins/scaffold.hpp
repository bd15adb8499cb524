#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mixop {

/// The kinds of plugins that a folder of templates has, sorted: "op", "dataset". Each is a folder of a project's files,
/// in whose names and texts stand for "acme.ghost_conv": @name@ that name, @file@ "ghost_conv", @class@ "GhostConv", @target@
/// "acme_ghost_conv".
std::vector<std::string> template_kinds(const std::filesystem::path& templates);

/// Writes a project for a plugin of a kind into `folder`, which must not exist. `name` is reverse-DNS, as users will write
/// it. Throws a usage error for an unknown kind, another name or an existing folder; where writing fails, nothing is left
/// behind.
void write_plugin_project(const std::filesystem::path& templates, const std::string& kind, const std::string& name,
                          const std::filesystem::path& folder);

}  // namespace mixop
