#include "host/graph/check.hpp"
#include "host/runtime/image_network.hpp"
#include "host/runtime/network.hpp"
#include "host/runtime/recurrent/language_model.hpp"
#include "mixop/error.hpp"

namespace mixop {

Execution execution_named(const std::string& name) {
  if (name == "plain") return Execution::plain;
  if (name == "fused") return Execution::fused;
  throw Error(ErrorCode::usage, "execution: expected plain or fused, found '" + name + "'");
}

std::unique_ptr<Network> compile(const NetworkGraph& graph, const OperatorCatalog& operators, const Target& target,
                                 Execution execution) {
  check(graph);
  return graph.language_model ? compile_language_model(graph, operators, target, execution)
                              : compile_image_network(graph, operators, target, execution);
}

}  // namespace mixop
