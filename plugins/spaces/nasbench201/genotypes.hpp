#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mixop/space.hpp"

namespace mixop::nasbench201 {

/// The name of the one cell of its genotypes.
inline constexpr const char* kCell = "cell";

/// A published string, such as "|nor_conv_3x3~0|+|none~0|skip_connect~1|": node after node, an operation from each node
/// before it. Nothing where the text does not begin with a bar; a usage error where the string has a defect.
std::optional<Genotype> read(const std::string& text);

/// The string of a genotype of the form that read() makes; nothing for another.
std::optional<std::string> print(const Genotype& genotype);

/// Throws a usage error unless the genotype has one cell with one operation from every node to every later one, whose
/// output is the last node.
const CellGenotype& checked_cell(const Genotype& genotype);

/// The cells that its published code names.
const std::vector<NamedGenotype>& published_genotypes();

}  // namespace mixop::nasbench201
