#pragma once

#include <string>

#include "host/plugins/self_test.hpp"
#include "mixop/abi/operator.h"

namespace mixop {

/// Tries an operator as searches and trainings use it: shapes, channels, gradients against finite differences in double
/// precision, training and evaluation, determinism, statistics, state, structure and cost. Reports every trial; throws
/// nothing of the operator's.
void try_operator(const MixopOperator& table, const std::string& name, const TrialSink& report);

}  // namespace mixop
