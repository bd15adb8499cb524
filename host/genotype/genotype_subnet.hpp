#pragma once

#include <string>
#include <string_view>

#include "mixop/error.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

// The YAML by which MMRazor fixes a subnet of DARTS (open-mmlab/mmrazor, configs/nas/mmcls/darts): for each node of a
// cell the edges that lead to it, and for each edge its operation:
//   normal_n2:
//     chosen:
//     - normal_n2_p0
//     - normal_n2_p1
//   normal_n2_p0:
//     chosen:
//     - sep_conv_3x3
// Nodes 0 and 1 are the cell's inputs, and all others make its output. Operations of edges that no node chooses mean
// nothing.

/// Whether a text may be one.
bool is_subnet(std::string_view text);

/// The genotype of one, its genes in the order in which the nodes choose their edges. Read by yaml-cpp as events,
/// without anchors and aliases, of at most 1 MiB. `file` names the text in errors, which have `code`.
Genotype genotype_of_subnet(std::string_view text, const std::string& file, ErrorCode code);

/// A genotype as one. Throws unsupported where it cannot hold the genotype: cells by position, other numbers of inputs,
/// nodes that are no part of the output, and two operations on one edge.
std::string genotype_to_subnet(const Genotype& genotype);

}  // namespace mixop
