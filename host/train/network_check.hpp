#pragma once

#include "host/search/stored_check.hpp"
#include "host/train/discrete_model.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

/// The archive of a trained network.
inline constexpr ArchiveKind network_kind{"mixop.network", 1, "a trained network", RunKind::train};

/// Throws bad_data unless the archive is a network's whose parts agree with each other and with its config. All readers
/// of networks call it.
void check_network(const Archive& archive);

/// check_network or, of any other archive, check_run.
void check_archive(const Archive& archive);

/// The config that a network was trained by, after check_network. Throws bad_data where it is none.
Config archived_network_config(const Archive& archive, const OptionCatalog& catalog);

/// The genotype of a checked network.
Genotype archived_genotype(const Archive& archive);

}  // namespace mixop
