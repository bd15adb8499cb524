#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/graph/operators.hpp"
#include "host/weights/weight_file.hpp"
#include "mixop/graph.hpp"

namespace mixop {

struct OnnxOptions {
  bool fold_norms = false;  ///< batch norms behind convolutions become a part of these
  std::vector<std::pair<std::string, std::string>> metadata = {};
};

/// The network of a genotype in evaluation, as an ONNX model of operator set 17 in float32. For images: the input
/// "images" [N, channels, height, width], normalised, with any N, and the output "logits" [N, classes]. For text one
/// step: lower_language_step(). `state` are its parameters and buffers by their published names. Made of the stages of
/// the operators' structures; an operator without one is an error of code unsupported that names it.
std::string onnx_model(const NetworkGraph& graph, const OperatorCatalog& operators,
                       const std::vector<NamedValues>& state, const OnnxOptions& options = {});

}  // namespace mixop
