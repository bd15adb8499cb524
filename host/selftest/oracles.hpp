#pragma once

#include <string>
#include <vector>

#include "host/plugins/registry.hpp"

namespace mixop {

/// One oracle's answer: how far this machine is from what mathematics says, and how far it may be.
struct OracleResult {
  std::string name;
  double deviation = 0;
  double allowed = 0;
  std::string problem;  ///< where the oracle could not be run

  bool passed() const { return problem.empty() && deviation <= allowed; }
};

/// Runs all oracles on this machine: closed forms, finite differences in double precision, published sizes, equal bits.
std::vector<OracleResult> run_oracles(const PluginRegistry& plugins);

}  // namespace mixop
