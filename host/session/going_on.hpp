#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/config/config.hpp"
#include "host/config/resolve.hpp"

// What a run that goes on with an archive may have else than the archive.

namespace mixop {

/// The archive's own config, where it is computed as the request says: data.workers, device, threads and data.dir. The
/// request must mean nothing else; `asked` resolves it whole.
Config resumed_config(const ConfigRequest& request, const Config& archived, const OptionCatalog& catalog,
                      const std::function<Config()>& asked);

/// A finished run's config with more epochs, and what else the request changes; see docs/command-line.md.
Config continued_config(const ConfigRequest& request, const Config& archived, const Archive& archive,
                        const OptionCatalog& catalog);

/// A line for each of device, threads and instruction sets that is another one than the archive was written with, which
/// changes how sums are rounded.
std::vector<std::string> inexact_changes(const Archive& archive, const Config& config, const std::string& device);

}  // namespace mixop
