#pragma once

#include "host/archive/archive.hpp"
#include "host/search/search.hpp"
#include "host/search/stored_parts.hpp"

namespace mixop {

/// The archive of a search as docs/archive-format.md lays it out.
ArchiveBuilder archive_of(Search& search, const ConfigTexts& config, const Provenance& provenance);

/// Puts a search back to exactly where its archive was written. The search must have been made from the archive's own
/// resolved config. Throws bad_data where the archive is not sound or does not fit it.
void restore(Search& search, const Archive& archive);

}  // namespace mixop
