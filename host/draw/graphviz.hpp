#pragma once

#include <filesystem>
#include <string>

namespace mixop {

/// Writes a Graphviz graph as the picture that the file's ending asks for: .svg, .png, .pdf, or .dot for the graph
/// itself. Where Graphviz is not installed, the graph is written beside it as .dot. Returns the file that was written.
/// Throws usage for another ending or an unwritable place, failed where Graphviz fails.
std::filesystem::path write_picture(const std::string& dot, const std::filesystem::path& file);

}  // namespace mixop
