#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mixop {

/// What a terminal and a picture can show of any bytes: UTF-8 as it is, control characters and what is no UTF-8 as
/// \xNN. Line ends are kept where `lines` says so.
std::string printable(std::string_view text, bool lines = false);

/// The same on one line, cut between characters behind the first `most` of them, with "..." in place of the rest.
std::string excerpt(std::string_view text, std::size_t most = 60);

/// The first character of a text that has one, as a terminal can show it.
std::string first_character(std::string_view text);

/// Whether a name of an operation, a cell or a part has letters, digits, '.', '_' and '-' alone, 1 to 128 of them.
bool is_plain_name(std::string_view name);

}  // namespace mixop
