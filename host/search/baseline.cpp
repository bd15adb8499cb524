#include "host/search/baseline.hpp"

#include <algorithm>
#include <filesystem>

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_text.hpp"
#include "host/text/nearest.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

constexpr const char* kKey = "space.baseline";

Genotype published(const std::string& text, const SearchSpace& space, const std::string& name) {
  std::vector<std::string> known;
  for (const NamedGenotype& named : space.genotypes()) {
    if (named.name == text) return named.genotype;
    known.push_back(named.name);
  }
  throw Error(ErrorCode::usage, std::string(kKey) + ": " + name + " has no genotype '" + excerpt(text) + "'" +
                                    did_you_mean(text, known) + " (known: " + joined(known) +
                                    "); a file's name ends in .json, .txt or .py, or holds a '/'");
}

}  // namespace

void set_baseline(SpaceConfig& config, const std::string& text, const SearchSpace& space, const std::string& name) {
  if (text.empty()) return;
  config.baseline =
      text.front() == '{' ? genotype_from_json(text, kKey, ErrorCode::usage) : published(text, space, name);
  const std::vector<AlphaSet> sets = space.search(config).alphas;
  const bool starts = std::any_of(sets.begin(), sets.end(), [](const AlphaSet& set) { return !set.start.empty(); });
  if (!starts)
    throw Error(ErrorCode::usage, std::string(kKey) + ": the space " + name +
                                      " does not start from a network; leave the key out, or set space.name=dartopti");
}

std::string baseline_text(const std::string& text) {
  const std::filesystem::path ending = std::filesystem::path(text).extension();
  const bool is_file = ending == ".json" || ending == ".txt" || ending == ".py" || text.find('/') != std::string::npos;
  if (!is_file || text.front() == '{') return text;
  const Genotype genotype =
      genotype_from_text(read_plain_text(text, ErrorCode::usage), text, "", ErrorCode::usage).genotype;
  std::string line = genotype_to_json(genotype);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace mixop
