#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/json/json.hpp"
#include "mixop/error.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

// Forms, told apart by their keys:
//   {"normal": [[operation, from], ...], "normal_concat": [...], "reduce": ..., "reduce_concat": ...}
//       cells of any names and number, each with NAME_concat, the nodes that make its output, and NAME_inputs where
//       they are not two. Two genes a node: gene i feeds node inputs + i / 2
//   {"recurrent": [[operation, from], ...], "concat": [...]}
//       the cell of that name has one input and one gene a node: gene i makes node 1 + i
//   Where the genes of such a cell do not fit that, all of them are [operation, to, from].
//   Genes may stand in a list for each node; then each is [operation, from]. A real number at a gene's end, the weight
//   of its edge, is ignored. A cell that is null, or has neither genes nor output, is left out. Names have letters,
//   digits, '.', '_' and '-'.
//   {"genes": [[[operation, to, from], ...] for each position], "concat": [...], "reductions": [...] or null}
//       any number of genes a node, in the order in which nodes run; a position whose genes are pairs has two a node.
//       With "seq": [...] the genes are those of cells that repeat, and seq tells the cell of each position. "inputs"
//       is there where they are not two. Cells that differ in concat or inputs stand under their names "0", "1", ... as
//       above, with the keys "reductions" and "seq".

/// A genotype as JSON, a gene a line. A genotype whose names no form can hold is an error of code unsupported.
std::string genotype_to_json(const Genotype& genotype);

/// Whether the genes of a cell do not fit its form, so that each tells its node.
bool names_nodes(const CellGenotype& cell);

/// Whether the cells of a genotype by position have the same concat and number of inputs.
bool are_alike(const Genotype& genotype);

/// The key of a cell's concat.
std::string concat_key(const Genotype& genotype, const CellGenotype& cell);

/// Throws that error where none of the forms can hold the genotype.
void check_writable(const Genotype& genotype);

/// Throws unsupported unless the genotype is the same once it is written and read.
void require_readable(const Genotype& genotype);

/// The genotype of a JSON text. `file` names it in errors, which have `code`. Keys besides the form's are ignored.
Genotype genotype_from_json(std::string_view text, const std::string& file, ErrorCode code);

/// The genotype of an object with these keys, wherever it was read from. `notes` gets what of it is ignored and should
/// be said.
Genotype genotype_of_keys(const JsonValue& root, const std::string& file, ErrorCode code,
                          std::vector<std::string>* notes = nullptr);

/// Whether an object has keys of a genotype.
bool has_genotype_keys(const JsonValue& root);

}  // namespace mixop
