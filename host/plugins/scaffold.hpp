#pragma once

#include <filesystem>
#include <string>

namespace mixop {

/// Writes a project for an operator plugin into `folder`, which must not exist: CMakeLists.txt, one source, README.md.
/// `name` is reverse-DNS, as users will write it: "acme.ghost_conv". Throws a usage error for another name or an
/// existing folder; where writing fails, nothing is left behind.
void write_operator_project(const std::string& name, const std::filesystem::path& folder);

}  // namespace mixop
