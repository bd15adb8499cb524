#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/plugins/registry.hpp"
#include "host/search/archived_run.hpp"
#include "host/train/discrete_model.hpp"
#include "mixop/genotype.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// A genotype as a user named it.
struct GenotypeArgument {
  std::string title;  ///< for pictures: "darts_cnn/DARTS_V2", "run.h5, epoch 3"
  std::string space;  ///< where it is known
  Genotype genotype;
  std::vector<std::vector<double>> strengths;  ///< edge weights of its genes, from a search's archive
  std::optional<Config> config{};              ///< of its archive
  std::optional<NetworkData> data{};           ///< what that was made for
  std::vector<std::string> notes{};            ///< what of it was ignored or chosen, to be said
  std::string published{};                     ///< its name in its space, where it has one
};

/// NAME, SPACE/NAME, a genotype's text, or a file of any name: an archive of a search or a network, or a text that
/// genotype_from_text() reads, where FILE:NAME picks one of several. Files are told apart by what is in them. A
/// published name goes before a file of that name. A name that several spaces have is a usage error that lists them; an
/// unknown one lists the known ones. `space`, where it is given, restricts names and must be that of an archive;
/// `preferred` is taken of several spaces that have the name.
GenotypeArgument read_genotype(const std::string& argument, const std::string& space, const PluginRegistry& plugins,
                               const std::string& preferred = "");

/// space.baseline as a config keeps it: the name of one of the genotypes of `space`, or the JSON, on one line, of
/// whatever else read_genotype() reads.
struct BaselineText {
  std::string text;
  std::vector<std::string> notes;
};
BaselineText read_baseline(const std::string& argument, const std::string& space, const PluginRegistry& plugins);

/// What of a run's genotype after `epoch` epochs was not searched, or is left out for that; to be said.
std::vector<std::string> unsearched_alphas(const ArchivedRun& run, std::int64_t epoch, const AlphaCase& alphas);

/// That of a search's archive after `epoch` epochs; 0: its start.
GenotypeArgument genotype_of_epoch(const std::string& file, std::int64_t epoch, const PluginRegistry& plugins);

/// Whether a word names an archive, by what is in the file; a damaged one by its ending.
bool is_archive_argument(const std::string& argument);

/// The genotype's space; where that is not known, those that declare cells of its names, of these the ones that know
/// most of its operations, and of these the ones with the fewest of others.
std::vector<std::string> spaces_of(const GenotypeArgument& genotype, const PluginRegistry& plugins);
/// The only one of spaces_of(); throws a usage error where there is none or several are left.
std::string space_of(const GenotypeArgument& genotype, const PluginRegistry& plugins);

/// All published genotypes as "space/NAME", and their sources.
struct ListedGenotype {
  std::string space, name, source;
};
std::vector<ListedGenotype> list_genotypes(const PluginRegistry& plugins);

}  // namespace mixop
