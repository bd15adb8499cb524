#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mixop {

/// The length of the JSON number that a text begins with; 0 where it begins with none.
std::size_t number_length(std::string_view text);

/// JSON with every number outside its texts as 0, or -0, and blanks, so that all else stands where it stood. RapidJSON
/// 1.1 misreads numbers of many digits and refuses some that a double holds; what it sees of them is this.
std::string without_numbers(std::string_view json);

}  // namespace mixop
