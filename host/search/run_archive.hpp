#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/search/search.hpp"

namespace mixop {

/// Where a run comes from: the part of its archive that may differ between two runs of one seed.
struct Provenance {
  std::string command_line;
  std::string started;  ///< UTC, ISO 8601
  std::string device;
  std::string dataset_digest;
  std::vector<std::string> plugins;  ///< "id version sha256" of every plugin that was loaded
};

/// The config of a run: as the user gave it, and resolved.
struct ConfigTexts {
  std::string verbatim;           ///< the preset's or file's text; empty for the defaults alone
  std::vector<std::string> sets;  ///< --set and the short forms, as given
  std::string resolved;
};

/// The archive of a search as docs/archive-format.md lays it out.
ArchiveBuilder archive_of(Search& search, const ConfigTexts& config, const Provenance& provenance);

/// Throws bad_data unless the archive is a search's whose parts agree with each other and with its config: counts,
/// shapes, types, ranges. All readers of runs call it: a right digest says that a file is undamaged, not what is in it.
void check_run(const Archive& archive);

/// Throws bad_data unless the archive of a checked run holds the alphas that a space declares for it.
void check_alphas(const Archive& archive, const std::vector<AlphaDeclaration>& declarations);

/// The config that a run was made from, after check_run. Throws bad_data where it is none.
Config archived_config(const Archive& archive, const OptionCatalog& catalog);

/// Puts a search back to exactly where its archive was written. The search must have been made from the archive's own
/// resolved config. Throws bad_data where the archive is not sound or does not fit it.
void restore(Search& search, const Archive& archive);

/// A float or integer tensor as an array.
void put_tensor(ArchiveBuilder& archive, const std::string& path, const at::Tensor& tensor);
/// An array as a tensor on the CPU.
at::Tensor get_tensor(const Archive& archive, const std::string& path);

}  // namespace mixop
