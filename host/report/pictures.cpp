#include "host/report/pictures.hpp"

#include <chrono>

#include "host/draw/graphviz.hpp"
#include "host/graph/draw.hpp"
#include "host/report/page_template.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::chrono::seconds kLongest{20};

Picture drawn(const std::string& graph) {
  try {
    const std::string svg = svg_of(graph, kLongest);
    if (svg.empty()) return {"", "Graphviz is not installed (no dot on PATH)"};
    return {image_address(svg), ""};
  } catch (const Error& error) {  // one picture less is no reason to have no page, which says so
    return {"", error.what()};
  }
}

}  // namespace

std::string image_address(const std::string& svg) { return "data:image/svg+xml;base64," + base64(svg); }

const Picture& Pictures::of(const Genotype& genotype) {
  static const Picture none{"", "not begun, for Graphviz took too long for another one"};
  const std::string graph = to_dot(genotype);
  if (const auto found = drawn_.find(graph); found != drawn_.end()) return found->second;
  if (too_slow_) return none;
  const auto begun = std::chrono::steady_clock::now();
  const Picture& picture = drawn_.emplace(graph, drawn(graph)).first->second;
  too_slow_ = std::chrono::steady_clock::now() - begun >= kLongest;
  return picture;
}

}  // namespace mixop
