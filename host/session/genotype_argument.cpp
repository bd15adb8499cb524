#include "host/session/genotype_argument.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "host/archive/user_block.hpp"
#include "host/config/layers.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_text.hpp"
#include "host/genotype/operation_name.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/search.hpp"
#include "host/session/application.hpp"
#include "host/text/nearest.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/network_check.hpp"
#include "mixop/cells.hpp"

namespace mixop {
namespace {

constexpr std::size_t kStart = 65536;  // bytes of a file in which its genotype is looked for

GenotypeArgument from_network(const Archive& archive, const std::string& file, const PluginRegistry& plugins) {
  const Config config = archived_network_config(archive, option_catalog(plugins));
  return {std::filesystem::path(file).filename().string(),
          config.space.name,
          archived_genotype(archive),
          {},
          config,
          stored::archived_data(archive)};
}

/// That of the last epoch, or of `epoch`.
GenotypeArgument from_search(Archive archive, const std::string& file, std::optional<std::int64_t> epoch,
                             const PluginRegistry& plugins) {
  const ArchivedRun run(std::move(archive), option_catalog(plugins));
  const std::int64_t taken = epoch.value_or(run.epochs());
  const ComponentOptions options = options_of(run.config());
  const auto space = make_part<SearchSpace>(plugins, run.config().space.name, options);
  const PartChoices parts = run.parts(taken);
  const AlphaCase alphas = run.alphas(taken, *space, rule_of(*make_part<EdgeRule>(plugins, parts)));
  const Derived derived =
      derive(alphas, *make_part<Relaxation>(plugins, parts), *make_part<Deriver>(plugins, parts), run.position(taken));
  return {std::filesystem::path(file).filename().string() + ", epoch " + std::to_string(taken) +
              (taken > 0 && !run.has_searched(taken) ? ", not searched" : ""),
          run.config().space.name,
          derived.genotype,
          derived.strengths,
          run.config(),
          stored::archived_data(run.archive()),
          unsearched_alphas(run, taken, alphas)};
}

GenotypeArgument from_archive(const std::string& file, const PluginRegistry& plugins) {
  Archive archive = Archive::open(file);
  return stored::is_of_kind(archive, network_kind) ? from_network(archive, file, plugins)
                                                   : from_search(std::move(archive), file, {}, plugins);
}

void require_plain_names(const Genotype& genotype, const std::string& space) {
  for (const CellGenotype& cell : genotype.cells)
    for (const Gene& gene : cell.genes)
      if (!is_operation_name(gene.operation))
        throw Error(ErrorCode::usage, "the text of a genotype of " + space + ": expected " + kOperationName +
                                          ", found '" + excerpt(gene.operation) + "'");
}

/// A genotype in a space's own published text, such as NAS-Bench-201's.
std::optional<GenotypeArgument> in_own_text(const std::string& argument, const std::string& space,
                                            const PluginRegistry& plugins) {
  for (const std::string& candidate : plugins.names(SearchSpace::interface_id)) {
    if (!space.empty() && candidate != space) continue;
    const auto read = make_part<SearchSpace>(plugins, candidate, {})->read_text(argument);
    if (!read) continue;
    require_plain_names(*read, candidate);
    return GenotypeArgument{candidate + " " + excerpt(argument, 200), candidate, *read, {}};
  }
  return std::nullopt;
}

/// A file is what its first bytes say it is.
GenotypeArgument from_file(const std::string& file, const std::string& name, const std::string& space,
                           const PluginRegistry& plugins) {
  const std::string title = std::filesystem::path(file).filename().string() + (name.empty() ? "" : ":" + name);
  if (is_archive_argument(file)) {
    if (!name.empty())
      throw Error(ErrorCode::usage, file + " is an archive, which has no genotype by name; leave ':" + name + "' out");
    return from_archive(file, plugins);
  }
  const std::string text = read_plain_text(file, ErrorCode::usage);
  if (auto own = in_own_text(text, space, plugins)) {
    own->title = title;
    return *own;
  }
  GenotypeText read = genotype_from_text(text, file, name, ErrorCode::bad_data);
  return {title, space, std::move(read.genotype), {}, {}, {}, std::move(read.notes)};
}

/// Says which nodes of cells by kind are no part of a network.
void note_unfed(GenotypeArgument& argument) {
  if (argument.genotype.by_position()) return;
  for (const CellGenotype& cell : argument.genotype.cells) {
    const CellGenotype fed = fed_cell(cell);
    std::vector<std::string> nodes;
    for (const int node : cell.concat)
      if (std::find(fed.concat.begin(), fed.concat.end(), node) == fed.concat.end())
        nodes.push_back(std::to_string(node));
    if (!nodes.empty())
      argument.notes.push_back("nothing feeds node " + joined(nodes) + " of the cell '" + cell.name +
                               "', which a network leaves out of its output, and operations from there");
  }
}

/// FILE:NAME as both, where there is such a file.
std::pair<std::string, std::string> file_and_name(const std::string& argument) {
  std::error_code problem;
  const auto colon = argument.rfind(':');
  if (std::filesystem::exists(argument, problem) || colon == std::string::npos) return {argument, ""};
  return {argument.substr(0, colon), argument.substr(colon + 1)};
}

/// Whether a word must be a file, by a file that is there, its ending or a folder before it.
bool names_a_file(const std::string& file) {
  std::error_code problem;
  if (std::filesystem::exists(file, problem)) return true;
  const auto ending = std::filesystem::path(file).extension();
  return ending == ".json" || ending == ".txt" || ending == ".py" || ending == ".h5" || ending == ".log";
}

void require_known(const std::string& space, const PluginRegistry& plugins) {
  if (!space.empty()) (void)plugins.factory(SearchSpace::interface_id, space);
}

[[noreturn]] void refuse_name(const std::string& argument, const std::string& name,
                              const std::vector<std::string>& known, const std::vector<std::string>& names) {
  const std::string hint = did_you_mean(name, names);
  throw Error(ErrorCode::usage,
              "unknown genotype '" + excerpt(argument) + "'" + hint + (hint.empty() ? "; known: " : " Known: ") +
                  (known.empty() ? "none" : joined(known)) + "; there is no file of that name either");
}

/// NAME or SPACE/NAME; `space` restricts the former, of which `preferred` decides between several.
std::optional<GenotypeArgument> published(const std::string& argument, const std::string& space,
                                          const PluginRegistry& plugins, const std::string& preferred,
                                          bool may_be_file) {
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
      if (found.space != preferred || preferred.empty()) found = {known.back(), candidate, named.genotype, {}, {}, {}, {}, name};
    }
  }
  if (matches.size() > 1 && found.space != preferred)
    throw Error(ErrorCode::usage,
                "'" + argument + "' is a genotype of several spaces: " + joined(matches) + "; name one of them");
  if (matches.empty() && may_be_file) return std::nullopt;
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

}  // namespace

std::vector<ListedGenotype> list_genotypes(const PluginRegistry& plugins) {
  std::vector<ListedGenotype> all;
  for (const std::string& space : plugins.names(SearchSpace::interface_id))
    for (const NamedGenotype& named : make_part<SearchSpace>(plugins, space, {})->genotypes())
      all.push_back({space, named.name, named.source});
  return all;
}

std::vector<std::string> unsearched_alphas(const ArchivedRun& run, std::int64_t epoch, const AlphaCase& alphas) {
  std::vector<std::string> notes;
  if (epoch > 0 && !run.has_searched(epoch))
    notes.push_back("after " + std::to_string(epoch) + " epochs the alphas are those of the start" +
                    (run.config().alphas.lr == 0 ? " (alphas.lr was 0)" : "") + ", so the genotype was not searched");
  for (const std::string& name : alphas.unused)
    notes.push_back("no cell of the network read the alphas '" + name + "', so the genotype has none of theirs");
  return notes;
}

BaselineText read_baseline(const std::string& argument, const std::string& space, const PluginRegistry& plugins) {
  if (argument.empty()) return {};
  try {
    GenotypeArgument read = read_genotype(argument, space, plugins);
    if (!read.published.empty()) return {read.published, read.notes};
    std::string line = genotype_to_json(read.genotype);
    std::replace(line.begin(), line.end(), '\n', ' ');
    return {line, read.notes};
  } catch (const Error& error) {
    throw Error(error.code(), std::string("space.baseline: ") + error.what());
  }
}

GenotypeArgument genotype_of_epoch(const std::string& file, std::int64_t epoch, const PluginRegistry& plugins) {
  if (!is_archive_argument(file))
    throw Error(ErrorCode::usage,
                "--epoch is for a search's archive; '" + printable(file) + "' is none, so leave it out");
  Archive archive = Archive::open(file);
  if (stored::is_of_kind(archive, network_kind))
    throw Error(ErrorCode::usage, "--epoch is for a search; " + file + " is a trained network, which has one genotype");
  return from_search(std::move(archive), file, epoch, plugins);
}

bool is_archive_argument(const std::string& argument) {
  if (is_archive_file(argument)) return true;
  if (std::filesystem::path(argument).extension() != ".h5") return false;
  std::string start(kStart, '\0');  // a damaged archive, or none; else a text of that name
  std::ifstream in(argument, std::ios::binary);
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  return !is_genotype_text(std::string_view(start).substr(0, static_cast<std::size_t>(in.gcount())));
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
    const std::pair fit{unknown_operations(genotype.genotype, keys.operations), keys.operations.size()};
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
  if (is_genotype_text(argument)) {
    require_known(space, plugins);
    GenotypeText read = genotype_from_text(argument, "the command line", "", ErrorCode::usage);
    GenotypeArgument given{"the command line", space, std::move(read.genotype), {}, {}, {}, std::move(read.notes)};
    note_unfed(given);
    return given;
  }
  if (auto own = in_own_text(argument, space, plugins)) return *own;
  const auto [file, name] = file_and_name(argument);
  const bool is_file = names_a_file(file);
  const auto known = published(argument, space, plugins, preferred, is_file);
  if (!known) require_known(space, plugins);
  GenotypeArgument found = known ? *known : from_file(file, name, space, plugins);
  if (known && std::filesystem::is_regular_file(argument))
    found.notes.push_back("'" + excerpt(argument) + "' is the published genotype " + known->title +
                          "; the file of that name is read as ./" + argument);
  note_unfed(found);
  if (!space.empty() && found.space != space)
    throw Error(ErrorCode::usage, argument + " is of the space '" + found.space +
                                      "', and --space or space.name says '" + space + "'; leave that out");
  return found;
}

}  // namespace mixop
