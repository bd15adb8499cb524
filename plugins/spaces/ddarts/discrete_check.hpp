#pragma once

#include <string>

#include "mixop/space.hpp"

namespace mixop::ddarts {

/// Throws a usage error with `message` unless `holds`.
void require(bool holds, const std::string& message);

/// Throws a usage error that names the genotype's own defect: cells that are not by position, a sequence that names a
/// cell that is not there, an empty cell, a node left without input, a concat that names none of a cell's nodes.
void check_genotype(const std::string& space, const Genotype& genotype);

}  // namespace mixop::ddarts
