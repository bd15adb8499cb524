#pragma once

#include <string>
#include <vector>

#include "host/search/search.hpp"

namespace mixop {

/// What somebody asks a search that runs to change.
struct SwapRequest {
  std::string strategy;           ///< a named one; empty: that in force
  SlotNames parts;                ///< in place of the strategy's own; empty ones stay
  std::vector<std::string> sets;  ///< "softmax.temperature=2", of parts that are in force then
};

/// As `mixop swap` sends it: {"strategy": "", "relaxation": "gumbel", ..., "set": ["softmax.temperature=2"]}.
std::string to_json(const SwapRequest& request);
/// Throws a usage error where the text is none.
SwapRequest swap_request(const std::string& text);

/// The strategy and parts that are asked for, with all option values: those of the request, over what the named strategy
/// brings, over those in force of parts that stay, over the defaults. Throws a usage error where there are no such.
StrategyChange swapped(const PluginRegistry& plugins, const OptionCatalog& catalog, const StrategyChange& in_force,
                       const SwapRequest& request);

/// "hypergradient=second_order (was first_order), second_order.epsilon=0.1": what differs; empty where nothing does.
std::string difference(const StrategyChange& before, const StrategyChange& after);

}  // namespace mixop
