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

/// Puts a search back to exactly where its archive was written. The search must have been made from the archive's own
/// resolved config. Throws bad_data where the archive is not sound or does not fit it.
void restore(Search& search, const Archive& archive);

}  // namespace mixop
