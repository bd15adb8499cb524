#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

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

/// The genotype of the call at `at`, whose arguments are literals by name or by place. Nothing is executed. `file`
/// names the text in errors, which have `code`; for `notes` see genotype_of_keys().
Genotype genotype_of_call(std::string_view text, std::size_t at, const std::string& file, ErrorCode code,
                          std::vector<std::string>* notes = nullptr);

/// The genotype of a dict with these fields, as Python prints one.
Genotype genotype_of_dict(std::string_view text, const std::string& file, ErrorCode code,
                          std::vector<std::string>* notes = nullptr);

}  // namespace mixop
