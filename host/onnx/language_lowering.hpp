#pragma once

#include <vector>

#include "host/graph/operators.hpp"
#include "host/onnx/onnx.pb.h"
#include "host/weights/weight_file.hpp"
#include "mixop/graph.hpp"

namespace mixop {

/// One step of the network of a recurrent genotype in evaluation: inputs "words" int64 [N] and "state" [N, width],
/// outputs "logits" [N, words] of the word that follows and "next_state" [N, width]. A text begins with a state of
/// zeros.
void lower_language_step(onnx::GraphProto& proto, const NetworkGraph& network, const OperatorCatalog& operators,
                         const std::vector<NamedValues>& state);

}  // namespace mixop
