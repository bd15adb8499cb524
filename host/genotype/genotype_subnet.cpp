#include "host/genotype/genotype_subnet.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "host/genotype/genotype_json.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr int kMostNode = 999, kInputs = 2;

/// What a key chooses, and where that stands.
struct Choice {
  std::string key;
  std::vector<std::string> chosen;
  int line = 0;
  bool is_said = false;  ///< `chosen` was there
};

/// Where in a text something is wrong.
struct Defect {
  int line;
  std::string what;
};

/// Collects KEY: {chosen: [TEXT, ...]} or {chosen: TEXT} from a parser's events; other keys beside `chosen` are passed
/// over.
class Choices final : public YAML::EventHandler {
 public:
  std::vector<Choice> all;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { value(mark, "", false); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, "an alias (*), which is not read"); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& text) override {
    without(mark, anchor);
    value(mark, text, true);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    without(mark, anchor);
    open(mark, Place::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    without(mark, anchor);
    open(mark, Place::map);
  }
  void OnMapEnd() override { close(); }

 private:
  enum class Place { map, list };
  static constexpr std::size_t kDeepest = 3;  // KEY, chosen, its list

  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& what) {
    throw Defect{mark.line + 1, what};
  }
  static void without(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "an anchor (&), which is not read");
  }

  void open(const YAML::Mark& mark, Place place) {
    if (open_.size() == kDeepest) refuse(mark, "something that lies deeper than KEY: {chosen: [...]}");
    if ((open_.size() < 2) != (place == Place::map))
      refuse(mark, place == Place::map ? "a map in a list" : "a list where KEY: {chosen: [...]} is expected");
    if (!open_.empty() && open_.back() == Place::map && is_key_) refuse(mark, "a key that is no text");
    open_.push_back(place);
    is_key_ = place == Place::map;
  }
  void close() {
    open_.pop_back();
    is_key_ = true;
  }
  void value(const YAML::Mark& mark, const std::string& text, bool is_text) {
    if (open_.empty()) refuse(mark, "no map");
    if (open_.back() == Place::map && is_key_) {
      if (open_.size() == 1) all.push_back({text, {}, mark.line + 1});
      if (open_.size() == 2 && text == "chosen" && std::exchange(all.back().is_said, true))
        refuse(mark, "'chosen' a second time");
      inner_key_ = text;
      is_key_ = false;
      return;
    }
    if (open_.size() == 1)
      refuse(mark, "'" + excerpt(all.back().key) + "' without a map; expected KEY: {chosen: [...]}");
    if (inner_key_ == "chosen" && is_text) all.back().chosen.push_back(text);
    if (open_.back() == Place::map) is_key_ = true;
  }

  std::vector<Place> open_;
  std::string inner_key_;
  bool is_key_ = true;
};

/// "normal_n3" and "normal_n3_p1", taken apart.
struct Name {
  std::string cell;
  int node = 0;
  std::optional<int> from;
};

std::optional<int> number_behind(std::string_view& text, std::string_view mark) {
  const auto at = text.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto number = number_of<int>(std::string(text.substr(at + mark.size())));
  if (!number || *number < 0 || *number > kMostNode || std::to_string(*number) != text.substr(at + mark.size()))
    return std::nullopt;
  text = text.substr(0, at);
  return number;
}

std::optional<Name> name_of(std::string_view key) {
  Name name;
  name.from = number_behind(key, "_p");
  const auto node = number_behind(key, "_n");
  if (!node || *node < kInputs || !is_plain_name(key)) return std::nullopt;
  name.node = *node;
  name.cell = key;
  return name;
}

class Subnet {
 public:
  explicit Subnet(const std::vector<Choice>& choices) {
    for (const Choice& choice : choices) {
      if (!choices_.emplace(choice.key, choice).second)
        throw Defect{choice.line, "'" + excerpt(choice.key) + "' a second time"};
      if (!name_of(choice.key))
        throw Defect{choice.line,
                     "'" + excerpt(choice.key) + "'; expected CELL_nNODE or CELL_nNODE_pFROM, with nodes from 2 on"};
    }
    for (const Choice& choice : choices)
      if (const Name name = *name_of(choice.key); !name.from) add(name, choice);
  }

  Genotype genotype() {
    for (CellGenotype& cell : genotype_.cells)
      std::stable_sort(cell.genes.begin(), cell.genes.end(), [](const Gene& a, const Gene& b) { return a.to < b.to; });
    for (CellGenotype& cell : genotype_.cells) std::sort(cell.concat.begin(), cell.concat.end());
    return std::move(genotype_);
  }

 private:
  void add(const Name& node, const Choice& choice) {
    CellGenotype& cell = cell_of(node.cell);
    cell.concat.push_back(node.node);
    for (const std::string& edge : choice.chosen) {
      const auto name = name_of(edge);
      if (!name || name->cell != node.cell || name->node != node.node || !name->from || *name->from >= node.node)
        throw Defect{choice.line, "'" + excerpt(edge) + "', which is no edge to '" + choice.key + "'"};
      if (std::count(choice.chosen.begin(), choice.chosen.end(), edge) > 1)
        throw Defect{choice.line, "'" + edge + "' chosen twice"};
      const auto found = choices_.find(edge);
      if (found == choices_.end()) throw Defect{choice.line, "'" + excerpt(edge) + "', which has no operation"};
      if (found->second.chosen.size() != 1)
        throw Defect{found->second.line, "'" + excerpt(edge) + "' with " + std::to_string(found->second.chosen.size()) +
                                             " operations; expected one"};
      cell.genes.push_back({found->second.chosen.front(), *name->from, node.node});
    }
  }

  CellGenotype& cell_of(const std::string& name) {
    for (CellGenotype& cell : genotype_.cells)
      if (cell.name == name) return cell;
    genotype_.cells.push_back({name, {}, {}, kInputs});
    return genotype_.cells.back();
  }

  std::map<std::string, Choice> choices_;
  Genotype genotype_;
};

[[noreturn]] void unsupported(const CellGenotype& cell, const std::string& why) {
  throw Error(ErrorCode::unsupported, "cell '" + cell.name + "': MMRazor's subnet cannot hold " + why);
}

void require_writable(const CellGenotype& cell) {
  if (cell.inputs != kInputs) unsupported(cell, std::to_string(cell.inputs) + " inputs");
  std::vector<int> nodes;
  for (const Gene& gene : cell.genes) {
    nodes.push_back(gene.to);
    if (std::count_if(cell.genes.begin(), cell.genes.end(),
                      [&](const Gene& other) { return other.to == gene.to && other.from == gene.from; }) > 1)
      unsupported(cell,
                  "two operations from node " + std::to_string(gene.from) + " to node " + std::to_string(gene.to));
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  std::vector<int> concat = cell.concat;
  std::sort(concat.begin(), concat.end());
  if (nodes != concat) unsupported(cell, "nodes that are no part of the output, or inputs that are");
}

void put(std::string& yaml, const std::string& key, const std::vector<std::string>& chosen) {
  yaml += key + ":\n  chosen:\n";
  for (const std::string& one : chosen) yaml += "  - " + one + "\n";
}

}  // namespace

bool is_subnet(std::string_view text) {
  return text.find("chosen:") != std::string_view::npos && text.find("_n") != std::string_view::npos;
}

Genotype genotype_of_subnet(std::string_view text, const std::string& file, ErrorCode code) {
  const auto refuse = [&](int line, const std::string& what) {
    throw Error(code, file + ":" + std::to_string(line) + ": expected MMRazor's fix-subnet YAML, found " + what);
  };
  if (text.size() > kMostBytes)
    refuse(1, std::to_string(text.size()) + " bytes; at most " + std::to_string(kMostBytes) + " are read");
  Choices choices;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    (void)parser.HandleNextDocument(choices);
    Choices more;
    if (parser.HandleNextDocument(more))
      refuse(more.all.empty() ? 1 : more.all.front().line, "a second document; keep one genotype a file");
    Genotype genotype = Subnet(choices.all).genotype();
    require_readable(genotype);  // names that no text or picture may hold
    return genotype;
  } catch (const Defect& defect) {
    refuse(defect.line, defect.what);
  } catch (const Error& error) {
    throw Error(code, error.code() == ErrorCode::unsupported ? file + ": " + error.what() : error.what());
  } catch (const YAML::Exception& error) {
    refuse(error.mark.line + 1, "text that is no YAML: " + printable(error.msg));
  }
  return {};
}

std::string genotype_to_subnet(const Genotype& genotype) {
  check_writable(genotype);
  std::string yaml;
  for (const CellGenotype& cell : genotype.cells) {
    if (genotype.by_position()) unsupported(cell, "cells by position");
    require_writable(cell);
    std::vector<int> nodes = cell.concat;
    std::sort(nodes.begin(), nodes.end());
    for (const int node : nodes) {
      const std::string key = cell.name + "_n" + std::to_string(node);
      std::vector<std::string> edges;
      std::map<int, std::string> operations;
      for (const Gene& gene : cell.genes) {
        if (gene.to != node) continue;
        edges.push_back(key + "_p" + std::to_string(gene.from));
        operations[gene.from] = gene.operation;
      }
      put(yaml, key, edges);
      for (const auto& [from, operation] : operations) put(yaml, key + "_p" + std::to_string(from), {operation});
    }
  }
  return yaml;
}

}  // namespace mixop
