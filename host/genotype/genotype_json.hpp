#pragma once

#include <string>
#include <string_view>

#include "host/json/json.hpp"
#include "mixop/error.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

// Three forms, told apart by their keys:
//   {"normal": [[operation, from], ...], "normal_concat": [...], "reduce": ..., "reduce_concat": ...}
//       two genes a node: gene i feeds node 2 + i / 2
//   {"recurrent": [[operation, from], ...], "concat": [...]}
//       one gene a node: gene i makes node 1 + i
//   Where the genes of such a cell do not fit that, all of them are [operation, to, from].
//   {"genes": [[[operation, to, from], ...] for each position], "concat": [...], "reductions": [...] or null}
//       any number of genes a node, in the order in which nodes run; a position whose genes are pairs has two a node.
//       With "seq": [...] the genes are those of cells that repeat, and seq tells the cell of each position

/// A genotype as JSON, a gene a line. A genotype that none of the forms can hold is an error of code unsupported.
std::string genotype_to_json(const Genotype& genotype);

/// Whether the genes of a normal, reduce or recurrent cell do not fit its form, so that each tells its node.
bool names_nodes(const CellGenotype& cell);

/// Throws that error where none of the forms can hold the genotype.
void check_writable(const Genotype& genotype);

/// The genotype of a JSON text. `file` names it in errors, which have `code`. Keys besides the form's are ignored.
Genotype genotype_from_json(std::string_view text, const std::string& file, ErrorCode code);

/// The genotype of an object with these keys, wherever it was read from.
Genotype genotype_of_keys(const JsonValue& root, const std::string& file, ErrorCode code);

}  // namespace mixop
