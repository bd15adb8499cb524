// The candidate operations of a recurrent cell: the activations of DARTS (Liu, Simonyan, Yang: "DARTS: Differentiable
// Architecture Search", ICLR 2019, section 3.1).
#include "mixop/chain.hpp"
#include "mixop/plugin.hpp"

namespace {

using mixop::Chain;
using mixop::OpSpec;

template <auto build>
MixopComponent activation(const char* name) {
  return mixop::chain_operator<[](const OpSpec&) { return build(Chain()); }, mixop::Domain::recurrent>(name);
}

}  // namespace

MIXOP_PLUGIN("mixop.ops.recurrent", "0.1.0", "The activations of DARTS' recurrent cell (Liu et al., ICLR 2019).",
             activation<[](Chain chain) { return chain.zero(1); }>("none"),
             activation<[](Chain chain) { return chain.tanh(); }>("tanh"),
             activation<[](Chain chain) { return chain.relu(); }>("relu"),
             activation<[](Chain chain) { return chain.sigmoid(); }>("sigmoid"),
             activation<[](Chain chain) { return chain.identity(); }>("identity"));
