#include "host/graph/draw.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "host/text/printable.hpp"

namespace mixop {
namespace {

/// As a text of DOT.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : printable(text)) {
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

/// Operations of the published spaces, each in a colour of its own that is dark enough to be read on white.
constexpr std::pair<const char*, const char*> kColours[] = {{"none", "#616161"},
                                                            {"skip_connect", "#424242"},
                                                            {"sep_conv_3x3", "#1f5fa8"},
                                                            {"sep_conv_5x5", "#0b7285"},
                                                            {"sep_conv_7x7", "#1a237e"},
                                                            {"dil_conv_3x3", "#7a3fa0"},
                                                            {"dil_conv_5x5", "#ad1457"},
                                                            {"max_pool_3x3", "#2e7d32"},
                                                            {"avg_pool_3x3", "#6b7a00"},
                                                            {"conv_7x1_1x7", "#a8431f"},
                                                            {"conv_3x1_1x3", "#c2410c"},
                                                            {"nor_conv_1x1", "#b45309"},
                                                            {"nor_conv_3x3", "#9a3412"},
                                                            {"simple_conv_1x1", "#0f766e"},
                                                            {"simple_conv_3x3", "#155e75"},
                                                            {"bottleneck_1x3x1", "#86198f"},
                                                            {"identity", "#4b5563"},
                                                            {"tanh", "#1d4ed8"},
                                                            {"relu", "#b91c1c"},
                                                            {"sigmoid", "#15803d"}};
/// For others, in the order of their names.
constexpr const char* kMoreColours[] = {"#8a6d00", "#5b21b6", "#be123c", "#0369a1", "#3f6212", "#7c2d12",
                                        "#134e4a", "#831843", "#365314", "#1e3a8a", "#713f12", "#581c87"};

using Colours = std::map<std::string, std::string>;

Colours colours_of(const Genotype& genotype) {
  Colours colours;
  for (const CellGenotype& cell : genotype.cells)
    for (const Gene& gene : cell.genes) colours.emplace(gene.operation, "");
  std::size_t more = 0;
  for (auto& [operation, colour] : colours) {
    const auto known =
        std::find_if(std::begin(kColours), std::end(kColours), [&](const auto& one) { return operation == one.first; });
    colour = known != std::end(kColours) ? known->second : kMoreColours[more++ % std::size(kMoreColours)];
  }
  return colours;
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
  std::string gene(std::size_t index) const { return quoted(prefix + "g" + std::to_string(index)); }
  std::string output() const { return quoted(prefix + "out"); }
  std::string title() const { return quoted(prefix + "title"); }
};

/// Graphviz heeds such an unseen edge outside clusters alone, so cells are none.
void place_below(std::string& dot, const std::string& node, const std::string& above) {
  dot += "    { rank=same; " + above + " -> " + node + " [style=invis]; }\n";
}

void draw_nodes(std::string& dot, const Naming& naming, const std::set<int>& nodes) {
  for (int i = 0; i < naming.inputs; ++i)
    dot += "    " + naming.node(i) + " [label=" + quoted(naming.input_label(i)) + ", fillcolor=\"#cfe8cf\"];\n";
  for (int i = 0; i < naming.inputs; ++i)
    place_below(dot, naming.node(i), i == 0 ? naming.title() : naming.node(i - 1));
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)  // Graphviz stacks from the bottom
    if (*node >= naming.inputs)
      dot += "    " + naming.node(*node) + " [label=\"" + std::to_string(*node) + "\", fillcolor=\"#d7e3f4\"];\n";
  dot += "    " + naming.output() + " [label=" + quoted(naming.output_label()) + ", fillcolor=\"#f6e3b4\"];\n";
}

/// By the nodes that they lead to and come from, so that Graphviz meets nodes in their order.
std::vector<std::size_t> drawing_order(const std::vector<Gene>& genes) {
  std::vector<std::size_t> order(genes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(genes[a].to, genes[a].from) < std::pair(genes[b].to, genes[b].from);
  });
  return order;
}

/// How many operations lead from the inputs to a node, at most; genes are taken in the order of their nodes.
std::map<int, int> depths_of(const CellGenotype& cell) {
  std::map<int, int> depths;
  for (const std::size_t i : drawing_order(cell.genes)) {
    const Gene& gene = cell.genes[i];
    const auto from = depths.find(gene.from);
    depths[gene.to] = std::max(depths[gene.to], 1 + (from == depths.end() ? 0 : from->second));
  }
  return depths;
}

/// Nodes of one depth, the lower numbers above.
void sort_nodes(std::string& dot, const Naming& naming, const CellGenotype& cell) {
  std::map<int, std::vector<int>> columns;
  for (const auto& [node, depth] : depths_of(cell))
    if (node >= naming.inputs) columns[depth].push_back(node);
  for (const auto& [depth, nodes] : columns)
    for (std::size_t i = 1; i < nodes.size(); ++i) place_below(dot, naming.node(nodes[i]), naming.node(nodes[i - 1]));
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

/// An operation is a node on its way, around which Graphviz leads the other lines.
void draw_gene(std::string& dot, const Naming& naming, std::size_t index, const Gene& gene, const std::string& colour,
               const double* strength) {
  const std::string width = fixed(strength != nullptr ? 0.8 + 6.0 * std::clamp(*strength, 0.0, 1.0) : 1.4, 2);
  const std::string line =
      "color=" + quoted(colour) + ", penwidth=" + width + (gene.operation == "none" ? ", style=dotted" : "");
  const std::string name = gene.operation + (strength != nullptr ? " " + fixed(*strength, 3) : "");
  dot += "    " + naming.gene(index) + " [label=" + quoted(name) + ", fillcolor=white, color=" + quoted(colour) +
         ", fontcolor=" + quoted(colour) + ", fontsize=10, height=0.2, margin=\"0.05,0.02\"];\n";
  dot += "    " + naming.node(gene.from) + " -> " + naming.gene(index) + " [" + line + ", arrowhead=none];\n";
  dot += "    " + naming.gene(index) + " -> " + naming.node(gene.to) + " [" + line + "];\n";
}

void draw_cell(std::string& dot, const Genotype& genotype, std::size_t index, const Colours& colours,
               const std::vector<double>* strengths) {
  const CellGenotype& cell = genotype.cells[index];
  const Naming naming{"cell" + std::to_string(index), cell.inputs, cell.name == "recurrent"};
  std::set<int> nodes;
  for (const Gene& gene : cell.genes) nodes.insert({gene.from, gene.to});
  dot += "  subgraph " + quoted(naming.prefix) + " {\n    " + naming.title() +
         " [label=" + quoted(title_of(genotype, index)) + ", shape=plaintext, style=\"\", fontsize=14];\n";
  draw_nodes(dot, naming, nodes);
  sort_nodes(dot, naming, cell);
  for (const std::size_t i : drawing_order(cell.genes))
    draw_gene(dot, naming, i, cell.genes[i], colours.at(cell.genes[i].operation),
              strengths != nullptr && i < strengths->size() ? &(*strengths)[i] : nullptr);
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
      "  rankdir=LR; nodesep=0.12; ranksep=0.3;\n"
      "  fontname=\"Helvetica\"; labelloc=t; fontsize=16;\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=12, margin=\"0.12,0.06\"];\n"
      "  edge [arrowsize=0.7];\n";
  if (!options.title.empty()) dot += "  label=" + quoted(options.title) + ";\n";
  const Colours colours = colours_of(genotype);
  // Graphviz stacks cells from the bottom, so the first cell comes last.
  for (std::size_t i = genotype.cells.size(); i-- > 0;)
    draw_cell(dot, genotype, i, colours, i < options.strengths.size() ? &options.strengths[i] : nullptr);
  place_in_rows(dot, genotype.cells.size());
  return dot + "}\n";
}

}  // namespace mixop
