#pragma once

#include "host/cli/command_line.hpp"
#include "host/cli/run_setup.hpp"
#include "host/loop/epoch_loop.hpp"
#include "host/metrics/stream.hpp"

namespace mixop::cli {

/// Adds --metrics, --tensorboard and --metrics-every.
void add_metrics_options(CommandSyntax& syntax);

/// The places that these options name, relative names beside the archive, for a loop as it stands before it runs.
MetricsStream open_metrics(const po::variables_map& values, const RunSetup& setup, const EpochLoop& loop);

}  // namespace mixop::cli
