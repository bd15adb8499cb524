#pragma once

#include "host/cli/command_line.hpp"
#include "host/metrics/stream.hpp"

namespace mixop::cli {

/// Adds --metrics, --tensorboard and --metrics-every.
void add_metrics_options(CommandSyntax& syntax);

/// The places that these options name, relative names beside the archive `out`.
StreamOptions metrics_options(const po::variables_map& values, const std::filesystem::path& out);

}  // namespace mixop::cli
