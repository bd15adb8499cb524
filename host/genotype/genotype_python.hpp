#pragma once

#include <string>
#include <string_view>

#include "mixop/error.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

// The text forms of published code, as Python prints and writes its named tuples:
//   Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))
//   Genotype(recurrent=[('tanh', 0), ...], concat=range(1, 9))
//   Genotype_nested(genes=[[('sep_conv_3x3', 2, 1), ...], ...], concat=range(2, 6), reductions=[2, 6])
//   Genotype_opt(genes=[[...], ...], seq=[0, 0, 1], concat=range(2, 6), reductions=[1])
// The nodes of genes are those of the JSON forms, see genotype_json.hpp.

/// A genotype on one line. Throws unsupported where none of the forms can hold it.
std::string genotype_to_python(const Genotype& genotype);

/// The genotype of such a text: one call, which a name and "=" may precede, with arguments by name or by place that are
/// texts, whole numbers, lists, tuples, range(...), sums and multiples of lists. Nothing is executed. `file` names it
/// in errors, which have `code`.
Genotype genotype_from_python(std::string_view text, const std::string& file, ErrorCode code);

}  // namespace mixop
