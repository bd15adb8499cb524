#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/config/config.hpp"
#include "host/search/search.hpp"
#include "host/search/stored_check.hpp"

namespace mixop {

/// The archive of a search.
inline constexpr ArchiveKind run_kind{"mixop.run", 1, "a search", RunKind::search};

/// Throws bad_data unless the archive is a search's whose parts agree with each other and with its config: counts,
/// shapes, types, ranges. All readers of runs call it: a right digest says that a file is undamaged, not what is in it.
void check_run(const Archive& archive);

/// Throws bad_data unless the archive of a checked run holds the alphas that a space declares for it.
void check_alphas(const Archive& archive, const std::vector<AlphaSet>& declarations);

/// What was dropped of these sets when the genotype of a row was derived, of a checked run's archive.
DroppedOperations dropped_operations(const Archive& archive, const std::vector<AlphaSet>& declarations, std::int64_t row);

/// The config that a run was made from, after check_run. Throws bad_data where it is none.
Config archived_config(const Archive& archive, const OptionCatalog& catalog);

/// The lists of a run, parsed. Throw bad_data where an entry is not sound.
std::vector<StrategyChange> strategy_changes(const Archive& archive);
std::vector<Genotype> genotypes(const Archive& archive);

}  // namespace mixop
