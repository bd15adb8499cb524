#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mixop/error.hpp"
#include "mixop/genotype.hpp"

namespace mixop {

struct GenotypeText {
  Genotype genotype;
  std::vector<std::string> notes;  ///< what was ignored or chosen, to be said
};

/// The genotype of a text, whatever it is: JSON (genotype_json.hpp) or a JSON object of genotypes or their texts under
/// names, Python's print of a dict or of a named tuple (genotype_python.hpp), a file of definitions
/// (NAME = Genotype(...)), MMRazor's YAML (genotype_subnet.hpp), or a log. Of several definitions `name` picks one; without it they are a usage error that
/// lists them. Of a log's genotypes the last one is taken. `file` names the text in errors, which have `code`.
GenotypeText genotype_from_text(std::string_view text, const std::string& file, const std::string& name,
                                ErrorCode code);

/// Whether a word on a command line is a genotype's text, not its name or file.
bool is_genotype_text(std::string_view argument);

}  // namespace mixop
