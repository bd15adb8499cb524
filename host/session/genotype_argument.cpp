#include "host/session/genotype_argument.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "host/config/layers.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_python.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/search.hpp"
#include "host/session/application.hpp"
#include "host/text/nearest.hpp"
#include "host/text/text.hpp"
#include "host/train/network_check.hpp"

namespace mixop {
namespace {

GenotypeArgument from_archive(const std::string& file, const PluginRegistry& plugins) {
  Archive archive = Archive::open(file);
  if (stored::is_of_kind(archive, network_kind)) {
    const Config config = archived_network_config(archive, option_catalog(plugins));
    return {std::filesystem::path(file).filename().string(),
            config.space.name,
            archived_genotype(archive),
            {},
            config,
            stored::archived_data(archive)};
  }
  const ArchivedRun run(std::move(archive), option_catalog(plugins));
  const ComponentOptions options = options_of(run.config());
  const auto space = make_part<SearchSpace>(plugins, run.config().space.name, options);
  const PartChoices parts = run.parts();
  const Derived derived = derive(run.alphas(run.epochs(), *space), *make_part<Relaxation>(plugins, parts),
                                 *make_part<Deriver>(plugins, parts), run.position(run.epochs()));
  return {std::filesystem::path(file).filename().string() + ", epoch " + std::to_string(run.epochs()),
          run.config().space.name,
          derived.genotype,
          derived.strengths,
          run.config(),
          stored::archived_data(run.archive())};
}

/// Published Python text.
bool is_python(const std::filesystem::path& file) { return file.extension() == ".txt" || file.extension() == ".py"; }

void require_known(const std::string& space, const PluginRegistry& plugins) {
  if (!space.empty()) (void)plugins.factory(SearchSpace::interface_id, space);
}

[[noreturn]] void refuse_name(const std::string& argument, const std::string& name,
                              const std::vector<std::string>& known, const std::vector<std::string>& names) {
  const std::string hint = did_you_mean(name, names);
  throw Error(ErrorCode::usage,
              "unknown genotype '" + argument + "'" + hint + (hint.empty() ? "; known: " : " Known: ") +
                  (known.empty() ? "none" : joined(known)) + "; a file ends in .json, .txt or .py, an archive in .h5");
}

/// NAME or SPACE/NAME; `space` restricts the former, of which `preferred` decides between several.
GenotypeArgument published(const std::string& argument, const std::string& space, const PluginRegistry& plugins,
                           const std::string& preferred) {
  const auto slash = argument.find('/');
  const std::string in_space = slash == std::string::npos ? space : argument.substr(0, slash);
  if (slash == std::string::npos) require_known(space, plugins);
  const std::string name = slash == std::string::npos ? argument : argument.substr(slash + 1);
  std::vector<std::string> known, names, matches;
  GenotypeArgument found;
  for (const std::string& candidate : plugins.names(SearchSpace::interface_id)) {
    const bool wanted = in_space.empty() || candidate == in_space;
    if (slash == std::string::npos && !wanted) continue;
    const auto made = make_part<SearchSpace>(plugins, candidate, {});
    for (const NamedGenotype& named : made->genotypes()) {
      known.push_back(candidate + "/" + named.name);
      names.push_back(named.name);
      if (named.name != name || !wanted) continue;
      matches.push_back(known.back());
      if (found.space != preferred || preferred.empty()) found = {known.back(), candidate, named.genotype, {}};
    }
  }
  if (matches.size() > 1 && found.space != preferred)
    throw Error(ErrorCode::usage,
                "'" + argument + "' is a genotype of several spaces: " + joined(matches) + "; name one of them");
  if (matches.empty()) refuse_name(argument, name, known, names);
  return found;
}

/// Whether a genotype lists cells that the alphas of a space decide on: of its kinds, or one a position.
bool has_cells_of(const Genotype& genotype, const std::vector<AlphaSet>& sets) {
  std::set<std::string> kinds;
  for (const AlphaSet& set : sets)
    if (!set.per_cell) kinds.insert(set.topology.name);
  if (kinds.empty()) return genotype.by_position();
  return !genotype.cells.empty() && std::all_of(genotype.cells.begin(), genotype.cells.end(),
                                                [&](const CellGenotype& cell) { return kinds.count(cell.name) != 0; });
}

/// How many of the genotype's operations are none of a space's own.
std::size_t unknown_operations(const Genotype& genotype, const std::vector<std::string>& own) {
  std::set<std::string> unknown;
  for (const CellGenotype& cell : genotype.cells)
    for (const Gene& gene : cell.genes)
      if (std::find(own.begin(), own.end(), gene.operation) == own.end()) unknown.insert(gene.operation);
  return unknown.size();
}

/// A genotype in a space's own published text, such as NAS-Bench-201's.
std::optional<GenotypeArgument> in_own_text(const std::string& argument, const std::string& space,
                                            const PluginRegistry& plugins) {
  for (const std::string& candidate : plugins.names(SearchSpace::interface_id)) {
    if (!space.empty() && candidate != space) continue;
    if (const auto read = make_part<SearchSpace>(plugins, candidate, {})->read_text(argument))
      return GenotypeArgument{candidate + " " + argument, candidate, *read, {}};
  }
  return std::nullopt;
}

}  // namespace

std::vector<ListedGenotype> list_genotypes(const PluginRegistry& plugins) {
  std::vector<ListedGenotype> all;
  for (const std::string& space : plugins.names(SearchSpace::interface_id))
    for (const NamedGenotype& named : make_part<SearchSpace>(plugins, space, {})->genotypes())
      all.push_back({space, named.name, named.source});
  return all;
}

std::vector<std::string> spaces_of(const GenotypeArgument& genotype, const PluginRegistry& plugins) {
  if (!genotype.space.empty()) return {genotype.space};
  const OptionCatalog catalog = option_catalog(plugins);
  std::vector<std::string> best;
  std::pair<std::size_t, std::size_t> least{};
  for (const std::string& name : plugins.names(SearchSpace::interface_id)) {
    const auto space = make_part<SearchSpace>(plugins, name, {});
    const SpaceKeys keys = default_config(RunKind::search, name, catalog).space;
    if (!has_cells_of(genotype.genotype, space->search(alphas_config(keys, *space)).alphas)) continue;
    const std::pair fit{unknown_operations(genotype.genotype, keys.ops), keys.ops.size()};
    if (best.empty() || fit < least) best.clear();
    if (best.empty() || fit == least) best.push_back(name);
    least = best.size() == 1 ? fit : least;
  }
  return best;
}

std::string space_of(const GenotypeArgument& genotype, const PluginRegistry& plugins) {
  const std::vector<std::string> best = spaces_of(genotype, plugins);
  if (best.empty())
    throw Error(ErrorCode::usage, genotype.title + ": no space has cells of these names; name one by --space or space.name");
  if (best.size() > 1)
    throw Error(ErrorCode::usage, genotype.title + " may be of the spaces " + joined(best) +
                                      "; name one by --space or space.name");
  return best.front();
}

GenotypeArgument read_genotype(const std::string& argument, const std::string& space, const PluginRegistry& plugins,
                               const std::string& preferred) {
  const std::filesystem::path file(argument);
  if (file.extension() == ".json" || is_python(file)) {
    require_known(space, plugins);
    const std::string text = read_json_text(file, ErrorCode::usage);
    return {file.filename().string(),
            space,
            is_python(file) ? genotype_from_python(text, argument, ErrorCode::bad_data)
                            : genotype_from_json(text, argument, ErrorCode::bad_data),
            {}};
  }
  if (auto own = in_own_text(argument, space, plugins)) return *own;
  const GenotypeArgument found =
      file.extension() == ".h5" ? from_archive(argument, plugins) : published(argument, space, plugins, preferred);
  if (!space.empty() && found.space != space)
    throw Error(ErrorCode::usage, argument + " is of the space '" + found.space +
                                      "', and --space or space.name says '" + space + "'; leave that out");
  return found;
}

}  // namespace mixop
