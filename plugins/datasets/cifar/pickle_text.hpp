#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mixop::cifar {

/// The bytes of a text in quotes as Python 2 writes it into pickles of protocol 0; nothing where it is none.
std::optional<std::string> unquoted(std::string_view quoted);

/// The bytes that a text of UTF-8, or of Python's raw-unicode-escape, encodes to in Latin-1: as Python 3 writes bytes
/// into pickles of protocols 0 to 2. Nothing where it holds other characters.
std::optional<std::string> latin1_of(std::string_view text, bool raw_escapes);

}  // namespace mixop::cifar
