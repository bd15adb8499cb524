#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mixop {

/// The entry of `known` that `word` most likely meant, by edit distance to the entry or to what follows its last dot;
/// empty where none is close.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "; did you mean 'x'?" for an error message, or nothing where no known word is close.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace mixop
