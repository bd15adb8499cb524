#include "host/search/baseline.hpp"

#include <algorithm>

#include "host/genotype/genotype_json.hpp"
#include "host/text/nearest.hpp"
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
                                    did_you_mean(text, known) + " (known: " + joined(known) + ")");
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

}  // namespace mixop
