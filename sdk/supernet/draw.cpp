#include "mixop/supernet/draw.hpp"

#include <algorithm>
#include <cstdio>

namespace mixop::supernet {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// A colour for each family of operations, dark enough to be read on white.
const char* colour(const std::string& operation) {
  const auto starts = [&](const char* with) { return operation.rfind(with, 0) == 0; };
  if (starts("sep_conv")) return "#1f5fa8";
  if (starts("dil_conv")) return "#7a3fa0";
  if (operation.find("pool") != std::string::npos) return "#2e7d32";
  if (starts("skip")) return "#616161";
  if (operation.find("conv") != std::string::npos) return "#a8431f";
  return "#8a6d00";
}

/// What the nodes of one cell are called, and how its inputs are labelled.
struct Naming {
  std::string prefix;
  int inputs;

  std::string node(int index) const { return quoted(prefix + "n" + std::to_string(index)); }
  std::string output() const { return quoted(prefix + "out"); }
};

void draw_nodes(std::string& dot, const Naming& naming, int last) {
  const char* input_labels[] = {"c_{k-2}", "c_{k-1}"};
  for (int i = 0; i < naming.inputs; ++i)
    dot += "    " + naming.node(i) + " [label=" + quoted(naming.inputs == 2 ? input_labels[i] : "h_{t-1}, x_t") +
           ", fillcolor=\"#cfe8cf\"];\n";
  if (naming.inputs == 2)  // the older input above
    dot += "    { rank=same; " + naming.node(1) + " -> " + naming.node(0) + " [style=invis]; }\n";
  for (int i = naming.inputs; i <= last; ++i)
    dot += "    " + naming.node(i) + " [label=\"" + std::to_string(i) + "\", fillcolor=\"#d7e3f4\"];\n";
  dot += "    " + naming.output() + " [label=" + quoted(naming.inputs == 2 ? "c_{k}" : "h_t") +
         ", fillcolor=\"#f6e3b4\"];\n";
}

void draw_cell(std::string& dot, const CellGenotype& cell, std::size_t index, const std::vector<double>* strengths) {
  const Naming naming{"cell" + std::to_string(index), cell.name == "recurrent" ? 1 : 2};
  int last = naming.inputs - 1;
  for (const Gene& gene : cell.genes) last = std::max(last, gene.to);
  dot += "  subgraph " + quoted("cluster_" + naming.prefix) + " {\n    label=" + quoted(cell.name) + ";\n";
  draw_nodes(dot, naming, last);
  for (std::size_t i = 0; i < cell.genes.size(); ++i) {
    const Gene& gene = cell.genes[i];
    const bool known = strengths != nullptr && i < strengths->size();
    const double strength = known ? (*strengths)[i] : 0;
    dot += "    " + naming.node(gene.from) + " -> " + naming.node(gene.to) +
           " [label=" + quoted(gene.operation + (known ? " " + fixed(strength, 3) : "")) +
           ", color=" + quoted(colour(gene.operation)) + ", fontcolor=" + quoted(colour(gene.operation)) +
           ", penwidth=" + fixed(known ? 0.8 + 6.0 * std::clamp(strength, 0.0, 1.0) : 1.4, 2) + "];\n";
  }
  for (const int node : cell.concat)
    dot += "    " + naming.node(node) + " -> " + naming.output() + " [color=\"#b0b0b0\", arrowhead=none];\n";
  dot += "  }\n";
}

}  // namespace

std::string to_dot(const Genotype& genotype, const DrawOptions& options) {
  std::string dot =
      "digraph genotype {\n"
      "  rankdir=LR; compound=true; nodesep=0.25; ranksep=0.5; newrank=false;\n"
      "  fontname=\"Helvetica\"; labelloc=t; fontsize=16;\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=12, margin=\"0.12,0.06\"];\n"
      "  edge [fontname=\"Helvetica\", fontsize=10];\n";
  if (!options.title.empty()) dot += "  label=" + quoted(options.title) + ";\n";
  // Graphviz stacks clusters from the bottom, so the first cell comes last.
  for (std::size_t i = genotype.cells.size(); i-- > 0;)
    draw_cell(dot, genotype.cells[i], i, i < options.strengths.size() ? &options.strengths[i] : nullptr);
  return dot + "}\n";
}

}  // namespace mixop::supernet
