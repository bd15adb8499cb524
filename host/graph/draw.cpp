#include "host/graph/draw.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

namespace mixop {
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
  if (starts("skip") || operation == "none") return "#616161";
  if (operation.find("conv") != std::string::npos) return "#a8431f";
  return "#8a6d00";
}

/// What the nodes of one cell are called, and how its inputs are labelled.
struct Naming {
  std::string prefix;
  int inputs;
  bool recurrent;

  std::string input_label(int index) const {
    if (inputs == 2) return index == 0 ? "c_{k-2}" : "c_{k-1}";
    return recurrent ? "h_{t-1}, x_t" : "in " + std::to_string(index);
  }
  std::string output_label() const { return inputs == 2 ? "c_{k}" : recurrent ? "h_t" : "out"; }

  std::string node(int index) const { return quoted(prefix + "n" + std::to_string(index)); }
  std::string output() const { return quoted(prefix + "out"); }
};

void draw_nodes(std::string& dot, const Naming& naming, const std::set<int>& nodes) {
  for (int i = 0; i < naming.inputs; ++i)
    dot += "    " + naming.node(i) + " [label=" + quoted(naming.input_label(i)) + ", fillcolor=\"#cfe8cf\"];\n";
  for (int i = 1; i < naming.inputs; ++i)  // the older inputs above
    dot += "    { rank=same; " + naming.node(i) + " -> " + naming.node(i - 1) + " [style=invis]; }\n";
  for (const int node : nodes)
    if (node >= naming.inputs)
      dot += "    " + naming.node(node) + " [label=\"" + std::to_string(node) + "\", fillcolor=\"#d7e3f4\"];\n";
  dot += "    " + naming.output() + " [label=" + quoted(naming.output_label()) + ", fillcolor=\"#f6e3b4\"];\n";
}

/// "normal"; by position "cell 2, reduction", and where cells repeat the positions that each has.
std::string title_of(const Genotype& genotype, std::size_t index) {
  if (!genotype.by_position()) return genotype.cells[index].name;
  const auto reduces = [&](int position) {
    const auto& listed = genotype.reductions;
    return listed && std::find(listed->begin(), listed->end(), position) != listed->end();
  };
  const std::string name = "cell " + genotype.cells[index].name;
  if (!genotype.sequence) return name + (reduces(static_cast<int>(index)) ? ", reduction" : "");
  std::string places;
  for (std::size_t i = 0; i < genotype.sequence->size(); ++i) {
    if ((*genotype.sequence)[i] != static_cast<int>(index)) continue;
    const int position = static_cast<int>(i);
    places += (places.empty() ? "" : ", ") + std::to_string(position) + (reduces(position) ? " (reduction)" : "");
  }
  return name + " at " + (places.empty() ? "no position" : places);
}

void draw_gene(std::string& dot, const Naming& naming, const Gene& gene, const double* strength) {
  dot += "    " + naming.node(gene.from) + " -> " + naming.node(gene.to) +
         " [label=" + quoted(gene.operation + (strength != nullptr ? " " + fixed(*strength, 3) : "")) +
         ", color=" + quoted(colour(gene.operation)) + ", fontcolor=" + quoted(colour(gene.operation)) +
         (gene.operation == "none" ? ", style=dotted" : "") +
         ", penwidth=" + fixed(strength != nullptr ? 0.8 + 6.0 * std::clamp(*strength, 0.0, 1.0) : 1.4, 2) + "];\n";
}

void draw_cell(std::string& dot, const Genotype& genotype, std::size_t index, const std::vector<double>* strengths) {
  const CellGenotype& cell = genotype.cells[index];
  const Naming naming{"cell" + std::to_string(index), cell.inputs, cell.name == "recurrent"};
  std::set<int> nodes;
  for (const Gene& gene : cell.genes) nodes.insert({gene.from, gene.to});
  dot +=
      "  subgraph " + quoted("cluster_" + naming.prefix) + " {\n    label=" + quoted(title_of(genotype, index)) + ";\n";
  draw_nodes(dot, naming, nodes);
  for (std::size_t i = 0; i < cell.genes.size(); ++i)
    draw_gene(dot, naming, cell.genes[i], strengths != nullptr && i < strengths->size() ? &(*strengths)[i] : nullptr);
  // Unseen edges keep what nothing feeds between the inputs and the output.
  std::set<int> fed;
  for (const Gene& gene : cell.genes) fed.insert(gene.to);
  for (const int node : nodes)
    if (node >= naming.inputs && fed.count(node) == 0)
      dot += "    " + naming.node(0) + " -> " + naming.node(node) + " [style=invis];\n";
  dot += "    " + naming.node(0) + " -> " + naming.output() + " [style=invis];\n";
  for (const int node : cell.concat)  // those that the cell lacks are skipped
    if (nodes.count(node) != 0)
      dot += "    " + naming.node(node) + " -> " + naming.output() + " [color=\"#b0b0b0\", arrowhead=none];\n";
  dot += "  }\n";
}

/// Many cells stand in rows, about as wide as high together; an unseen edge keeps the cells of a row side by side.
void place_in_rows(std::string& dot, std::size_t cells) {
  const auto columns = static_cast<std::size_t>(std::max(1.0, std::round(std::sqrt(static_cast<double>(cells) / 2))));
  for (std::size_t i = 0; i + 1 < cells; ++i)
    if ((i + 1) % columns != 0)
      dot += "  " + Naming{"cell" + std::to_string(i), 2, false}.output() + " -> " +
             Naming{"cell" + std::to_string(i + 1), 2, false}.node(0) + " [style=invis];\n";
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
    draw_cell(dot, genotype, i, i < options.strengths.size() ? &options.strengths[i] : nullptr);
  place_in_rows(dot, genotype.cells.size());
  return dot + "}\n";
}

}  // namespace mixop
