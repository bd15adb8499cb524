#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace mixop {

/// Refuses, as a usage error, a picture of another ending than .svg, .png, .pdf and .dot, and one that cannot be
/// written.
void require_picture(const std::filesystem::path& file);

/// Writes a Graphviz graph as the picture that the file's ending asks for: .svg, .png, .pdf, or .dot for the graph
/// itself. Where Graphviz is not installed, the graph is written beside it as .dot. Returns the file that was written.
/// Throws as require_picture() does, failed where Graphviz fails; a picture that was there is then as it was.
std::filesystem::path write_picture(const std::string& dot, const std::filesystem::path& file);

/// The picture of a graph as SVG; empty where Graphviz is not installed. Throws failed where it fails or takes longer.
std::string svg_of(const std::string& dot, std::chrono::seconds longest);

}  // namespace mixop
