#pragma once

#include "host/archive/archive.hpp"
#include "host/search/stored_parts.hpp"
#include "host/train/network_check.hpp"
#include "host/train/training.hpp"

namespace mixop {

/// The archive of a training as docs/archive-format.md lays it out: the network as it stands, and all that an exact
/// resume needs.
ArchiveBuilder archive_of(Training& training, const ConfigTexts& config, const Provenance& provenance);

/// Puts a training back to exactly where its archive was written. The training must have been made from the archive's
/// own config and genotype. Throws bad_data where the archive is not sound or does not fit it.
void restore(Training& training, const Archive& archive);

/// The size of the network that a checked archive's config and genotype mean on such data. What its space says against
/// them is bad_data, and so is a network of more weights than the archive holds.
MeasuredNetwork archived_size(const Archive& archive, const Config& config, const NetworkData& data,
                              const PluginRegistry& plugins, const ComponentOptions& options);

/// The training of a checked archive's config and genotype, to be restored; refused as archived_size() refuses.
Training resumed_training(const Archive& archive, const Config& config, const PluginRegistry& plugins,
                          const ComponentOptions& options, const DatasetHandle& data);

/// The network of a checked archive with its weights; refused in the same way.
DiscreteModel archived_model(const Archive& archive, const Config& config, const PluginRegistry& plugins,
                             const ComponentOptions& options);

}  // namespace mixop
