#pragma once

#include <string>

#include "host/cli/command_line.hpp"
#include "host/session/request.hpp"

namespace mixop::cli {

/// --genotype: what network a file of weights is of.
void add_network_options(CommandSyntax& syntax);

/// The training whose network those options, --set, --data and the words mean, the first of which is the file of
/// weights.
TrainRequest network_request(const po::variables_map& values);

/// Whether a word names a file of weights by other programs rather than an archive.
bool is_weight_file(const std::string& word);

}  // namespace mixop::cli
