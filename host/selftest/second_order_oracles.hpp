#pragma once

#include "host/plugins/registry.hpp"

namespace mixop {

/// The largest deviation from -4, -2.8 and 2: the hypergradient of the toy problem of the DARTS paper (Liu et al., ICLR
/// 2019, figure 2) at (a, w) = (2, -2) for the rates 0, 0.1 and 0.5.
double toy_hypergradient(const PluginRegistry& plugins);

/// How far, relative to its largest entry, the mixed second derivative by central differences is from that by a double
/// backward pass: on a smooth network with the paper's epsilon of 0.01.
double mixed_derivative_smooth(const PluginRegistry& plugins);

/// The same on a supernet with ReLUs and max pools, with momentum and weight decay; epsilon is shrunk until no unit
/// switches.
double mixed_derivative_supernet(const PluginRegistry& plugins);

}  // namespace mixop
