#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "host/plugins/registry.hpp"

namespace mixop {

/// The result of one oracle: how far this machine is from what mathematics says, and how far it may be.
struct OracleResult {
  std::string name;
  double deviation = 0;
  double allowed = 0;
  std::string problem;  ///< where the oracle could not be run

  bool passed() const { return problem.empty() && deviation <= allowed; }
};

/// The larger deviation; one that is not a number stays, where std::max would drop it.
double worse(double one, double other);

/// The largest difference between `gradient` and central differences of `loss` over some entries of `tensor`, which is
/// changed in place and restored.
double difference_quotient_error(const at::Tensor& tensor, const at::Tensor& gradient,
                                 const std::function<double()>& loss);

/// Runs all oracles on this machine: closed forms, finite differences in double precision, published sizes, equal bits.
std::vector<OracleResult> run_oracles(const PluginRegistry& plugins);

}  // namespace mixop
