#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mixop {

/// What a terminal and a picture can show of any bytes: printable UTF-8 (mixop/utf8.hpp) as it is, all else as \xNN.
/// Line ends are kept where `lines` says so.
std::string printable(std::string_view text, bool lines = false);

/// How many characters a text has; a byte that is no UTF-8 is one.
std::size_t characters(std::string_view text);

/// A quotation in a message: printable, on one line, cut between characters behind the first `most` of them, with how
/// many there are more.
std::string excerpt(std::string_view text, std::size_t most = 60);

/// A name in a picture: printable, of `most` characters at most, the last three of which are "..." where it has more.
std::string shortened(std::string_view text, std::size_t most);

/// A whole message for a terminal: printable, its lines kept, each with a bounded length.
std::string printable_message(std::string_view text);

/// The first character of a text that has one, as a terminal can show it.
std::string first_character(std::string_view text);

/// Whether a name of an operation, a cell or a part has letters, digits, '.', '_' and '-' alone, 1 to 128 of them.
bool is_plain_name(std::string_view name);

}  // namespace mixop
