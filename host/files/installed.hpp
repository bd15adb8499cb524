#pragma once

#include <filesystem>
#include <string>

namespace mixop {

/// A place below the folder that holds bin/ and share/, in the build and where mixop is installed: installed("share/mixop/presets").
std::filesystem::path installed(const std::string& below);

}  // namespace mixop
