#pragma once

#include <string>

#include "host/search/search.hpp"

namespace mixop {

/// An entry of /strategy_history: {"step": 0, "epoch": 0, "strategy": "second_order", "relaxation": "softmax", ...,
/// "options": {"hypergradient": {"epsilon": "0.01"}}}: a part for every slot, and the options of those that have some.
std::string to_json(const StrategyChange& change);

/// The entry of such a text. Throws bad_data, beginning with `where`, unless it is one.
StrategyChange strategy_change(const std::string& text, const std::string& where);

}  // namespace mixop
