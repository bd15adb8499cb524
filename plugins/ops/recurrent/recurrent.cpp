// The candidate operations of a recurrent cell: the activations of DARTS (Liu, Simonyan, Yang: "DARTS: Differentiable
// Architecture Search", ICLR 2019, section 3.1).
#include "mixop/plugin.hpp"
#include "mixop/structure_operator.hpp"

namespace {

using mixop::OpSpec;
using mixop::Structure;

template <auto build>
MixopComponent activation(const char* name, const char* summary) {
  constexpr auto describe = [](const OpSpec& spec) {
    mixop::require_same_channels(spec);
    return build();
  };
  return mixop::structure_operator<describe, mixop::Domain::recurrent>(name, summary);
}

}  // namespace

MIXOP_PLUGIN("mixop.ops.recurrent", "0.1.0", "The activations of DARTS' recurrent cell (Liu et al., ICLR 2019).",
             activation<[] { return Structure().zero(1); }>("none", "Zero: no edge."),
             activation<[] { return Structure().tanh(); }>("tanh", "The hyperbolic tangent."),
             activation<[] { return Structure().relu(); }>("relu", "The positive part."),
             activation<[] { return Structure().sigmoid(); }>("sigmoid", "The logistic function."),
             activation<[] { return Structure().identity(); }>("identity", "The value itself."));
