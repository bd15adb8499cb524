#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/config/config.hpp"
#include "host/task/network_data.hpp"

// The checks that archives of searches and of trained networks share. Each throws bad_data, naming the archive and the
// path, unless its part is sound and agrees with the others: a right digest says that a file is undamaged, not what is
// in it.

namespace mixop {

/// A kind of archive and the newest version of it that this program reads.
struct ArchiveKind {
  const char* name;  ///< "mixop.run"
  unsigned version;
  const char* what;  ///< "a search"
  RunKind run;       ///< whose config has the number of epochs, in its own section

  /// "mixop.run/1"
  std::string layout() const { return name + ("/" + std::to_string(version)); }
  /// "search.epochs" for "epochs".
  std::string key(const char* of) const { return run_kind_name(run) + (std::string(".") + of); }
};

namespace stored {

inline constexpr const char* resolved_config = "/config/resolved";
/// The attribute of a weight or buffer that has more names than its own: the others, a line each.
inline constexpr const char* other_names_attribute = "also";
inline constexpr const char* step_losses = "/metrics/step_train_loss";
inline constexpr const char* epoch_seconds = "/provenance/epoch_seconds";
inline constexpr const char* begun_with = "/provenance/weights";  ///< of runs that began with a file of weights
inline constexpr const char* generator = "/random/generator";

/// Whether the archive says to be of that kind, in whatever version; throws nothing.
bool is_of_kind(const Archive& archive, const ArchiveKind& kind);

void check_layout(const Archive& archive, const ArchiveKind& kind);
/// Against the config's number of epochs; those of text have numbers of steps of their own.
void check_position(const Archive& archive, const ArchiveKind& kind, bool equal_epochs);
/// Against the position: once an epoch is over there are the metrics of these names, and `others` only where allowed.
void check_metrics(const Archive& archive, const std::vector<std::string>& names, bool others = false);
void check_generator(const Archive& archive);
void check_provenance(const Archive& archive);
void check_count(const Archive& archive, const std::string& path, std::uint64_t expected, std::uint64_t found,
                 const char* one_for);

/// What a network was made for, checked.
NetworkData archived_data(const Archive& archive);

/// The config of a checked archive.
Config archived_config(const Archive& archive, const ArchiveKind& kind, const OptionCatalog& catalog);

}  // namespace stored

/// Throws bad_data where a float array holds values that are not finite.
void require_finite(const Archive& archive, const std::string& path);

/// Throws bad_data, naming the archive and the path.
[[noreturn]] void refuse(const Archive& archive, const std::string& path, const std::string& what);

}  // namespace mixop
