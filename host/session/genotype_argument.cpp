#include "host/session/genotype_argument.hpp"

#include <filesystem>

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_python.hpp"
#include "host/search/archived_run.hpp"
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
            archived_data(archive)};
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
          {}};
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

std::string space_of(const GenotypeArgument& genotype) {
  if (!genotype.space.empty()) return genotype.space;
  if (genotype.genotype.by_position()) return "ddarts";
  return genotype.genotype.find("recurrent") != nullptr ? "darts_rnn" : "darts_cnn";
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
