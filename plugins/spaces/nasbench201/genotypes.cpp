#include "genotypes.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "mixop/error.hpp"

namespace mixop::nasbench201 {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

/// At most the beginning of a long text, which ends with a whole character.
std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::size_t end = std::min(text.size(), kLongest);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return "'" + std::string(text.substr(0, end)) + (end < text.size() ? "...'" : "'");
}

std::string_view trimmed(std::string_view text) {
  constexpr const char* kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text = text.substr(end + 1);
  }
}

/// One node's "|op~0|op~1|".
std::vector<Gene> read_node(std::string_view text, int node) {
  const std::string where = "the NAS-Bench-201 string: node " + std::to_string(node) + " ";
  require(text.size() >= 2 && text.front() == '|' && text.back() == '|',
          where + "is " + quoted(text) + "; expected operations between bars, such as '|skip_connect~0|'");
  const std::vector<std::string_view> listed = split(text.substr(1, text.size() - 2), '|');
  require(listed.size() == static_cast<std::size_t>(node),
          where + "has " + std::to_string(listed.size()) + " operations; expected " + std::to_string(node) +
              ", one from each node before it (none where there is none)");
  std::vector<Gene> genes;
  for (std::string_view gene : listed) {
    const int from = static_cast<int>(genes.size());
    const auto tilde = gene.rfind('~');
    const bool sound = tilde != std::string_view::npos && tilde > 0 && gene.substr(tilde + 1) == std::to_string(from);
    require(sound, where + "has " + quoted(gene) + "; expected an operation and '~" + std::to_string(from) + "'");
    genes.push_back({std::string(gene.substr(0, tilde)), from, node});
  }
  return genes;
}

bool comes_first(const Gene& a, const Gene& b) { return std::pair(a.to, a.from) < std::pair(b.to, b.from); }

/// What is wrong with the cell; empty for nothing.
std::string defect_of(const CellGenotype& cell) {
  if (cell.genes.empty()) return "has no operations";
  if (cell.inputs != 1) return "has " + std::to_string(cell.inputs) + " inputs, expected 1";
  int last = 0;
  for (const Gene& gene : cell.genes) last = std::max(last, gene.to);
  for (const Gene& gene : cell.genes)
    if (gene.from < 0 || gene.from >= gene.to)
      return "has " + gene.operation + " from node " + std::to_string(gene.from) + " to node " +
             std::to_string(gene.to) + "; it must come from an earlier node";
  for (int to = 1; to <= last; ++to)
    for (int from = 0; from < to; ++from) {
      const auto count = std::count_if(cell.genes.begin(), cell.genes.end(),
                                       [&](const Gene& gene) { return gene.from == from && gene.to == to; });
      if (count != 1)
        return "has " + std::to_string(count) + " operations from node " + std::to_string(from) + " to node " +
               std::to_string(to) + "; expected one (none where there is none)";
    }
  if (cell.concat != std::vector<int>{last}) return "has another output than its last node, " + std::to_string(last);
  return "";
}

CellGenotype cell_of(const std::string& text) { return read(text)->cells.front(); }

}  // namespace

std::optional<Genotype> read(const std::string& text) {
  const std::string_view body = trimmed(text);
  if (body.empty() || body.front() != '|') return std::nullopt;
  CellGenotype cell{kCell, {}, {}, /*inputs=*/1};
  int node = 0;
  for (const std::string_view listed : split(body, '+')) {
    const std::vector<Gene> genes = read_node(listed, ++node);
    cell.genes.insert(cell.genes.end(), genes.begin(), genes.end());
  }
  cell.concat = {node};
  return Genotype{{std::move(cell)}};
}

std::optional<std::string> print(const Genotype& genotype) {
  if (genotype.cells.size() != 1 || genotype.cells[0].name != kCell || !defect_of(genotype.cells[0]).empty())
    return std::nullopt;
  std::vector<Gene> genes = genotype.cells[0].genes;
  std::sort(genes.begin(), genes.end(), comes_first);
  std::string text;
  for (const Gene& gene : genes) {
    if (gene.from == 0) text += text.empty() ? "|" : "+|";
    text += gene.operation + "~" + std::to_string(gene.from) + "|";
  }
  return text;
}

const CellGenotype& checked_cell(const Genotype& genotype) {
  const CellGenotype* const cell = genotype.find(kCell);
  require(cell != nullptr && genotype.cells.size() == 1,
          std::string("a genotype of nasbench201 has one cell '") + kCell + "'; this one has " +
              (genotype.cells.empty() ? "none" : "a cell " + quoted(genotype.cells.back().name)));
  const std::string defect = defect_of(*cell);
  require(defect.empty(), "the cell of the genotype " + defect);
  return *cell;
}

const std::vector<NamedGenotype>& published_genotypes() {
  static const std::vector<NamedGenotype> table = [] {
    const auto all = [](const std::string& operation) {
      const std::string zero = operation + "~0|", one = operation + "~1|", two = operation + "~2|";
      return Genotype{{cell_of("|" + zero + "+|" + zero + one + "+|" + zero + one + two)}};
    };
    const std::string source = "Dong and Yang, ICLR 2020";
    return std::vector<NamedGenotype>{
        {"AllConv3x3", source, all("nor_conv_3x3")},
        {"AllConv1x1", source, all("nor_conv_1x1")},
        {"AllIdentity", source, all("skip_connect")},
        {"ResNet",
         source,
         {{cell_of("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|")}}}};
  }();
  return table;
}

}  // namespace mixop::nasbench201
