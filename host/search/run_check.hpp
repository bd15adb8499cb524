#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/config/config.hpp"
#include "host/search/search.hpp"

namespace mixop {

/// Paths that writer and readers share.
namespace run_layout {
inline constexpr const char* kind = "mixop.run";
inline constexpr unsigned version = 1;
inline constexpr const char* step_losses = "/metrics/step_train_loss";
inline constexpr const char* epoch_seconds = "/provenance/epoch_seconds";
inline constexpr const char* generator = "/random/generator";
/// "mixop.run/1"
std::string name();
}  // namespace run_layout

/// Throws bad_data unless the archive is a search's whose parts agree with each other and with its config: counts,
/// shapes, types, ranges. All readers of runs call it: a right digest says that a file is undamaged, not what is in it.
void check_run(const Archive& archive);

/// Throws bad_data unless the archive of a checked run holds the alphas that a space declares for it.
void check_alphas(const Archive& archive, const std::vector<AlphaDeclaration>& declarations);

/// The config that a run was made from, after check_run. Throws bad_data where it is none.
Config archived_config(const Archive& archive, const OptionCatalog& catalog);

/// The lists of a run, parsed. Throw bad_data where an entry is not sound.
std::vector<StrategyChange> strategy_changes(const Archive& archive);
std::vector<Genotype> genotypes(const Archive& archive);

/// Throws bad_data where a float array holds values that are not finite.
void require_finite(const Archive& archive, const std::string& path);

/// Throws bad_data, naming the archive and the path.
[[noreturn]] void refuse(const Archive& archive, const std::string& path, const std::string& what);

}  // namespace mixop
