#pragma once

#include <memory>

#include "host/runtime/network.hpp"

namespace mixop {

/// A graph with a LanguageModel. Input and target are int64 [time, N]; the state is one tensor [N, width].
std::unique_ptr<Network> compile_language_model(const NetworkGraph& graph, const OperatorCatalog& operators,
                                                const Target& target, Execution execution);

}  // namespace mixop
