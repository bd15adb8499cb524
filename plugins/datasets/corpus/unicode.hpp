#pragma once

#include <cstdint>

namespace mixop::corpus {

/// What Python's str.split() splits at: the bidirectional types WS, B and S, and the category Zs of Unicode.
bool is_space(std::uint32_t code_point);

}  // namespace mixop::corpus
