#include "host/graph/edge_rule.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "mixop/error.hpp"

namespace mixop {

namespace {

/// "betas_normal" for "alphas_normal".
std::string name_of_betas(const std::string& alphas) {
  constexpr std::string_view kAlphas = "alphas";
  return "betas" + (alphas.rfind(kAlphas, 0) == 0 ? alphas.substr(kAlphas.size()) : "_" + alphas);
}

void add_edge_weights(NetworkGraph& graph) {
  const std::size_t own = graph.alphas.size();
  for (std::size_t i = 0; i < own; ++i) {
    AlphaSet betas = graph.alphas[i];
    betas.name = name_of_betas(betas.name);
    betas.topology.operations = {"edge"};
    betas.weighs = static_cast<int>(i);
    betas.start.clear();
    graph.alphas.push_back(std::move(betas));
  }
}

}  // namespace

NetworkGraph with_rule(NetworkGraph graph, const EdgeRuleData& rule) {
  if (rule.edge_weights) add_edge_weights(graph);
  const std::int64_t divisor = rule.channel_divisor;
  if (divisor == 1) return graph;
  if (graph.language_model)
    throw Error(ErrorCode::usage,
                "strategy.edge_rule: partial channels are for images, found a recurrent space; set strategy.edge_rule=none");
  for (Block& block : graph.blocks)
    for (Edge& edge : block.cell.edges) {
      auto* choice = std::get_if<Choice>(&edge.does);
      if (choice == nullptr) continue;
      OpSpec& spec = choice->spec;
      if (spec.in != spec.out || spec.in % divisor != 0)
        throw Error(ErrorCode::usage, "strategy.edge_rule: expected channels that " + std::to_string(divisor) +
                                          " divides, as many out as in, found " + std::to_string(spec.in) + " to " +
                                          std::to_string(spec.out) + " in " + block.cell.name + "." + edge.name +
                                          "; choose another space.channels or divisor");
      spec.in /= divisor;
      spec.out /= divisor;
      choice->channel_divisor = divisor;
    }
  return graph;
}

}  // namespace mixop
