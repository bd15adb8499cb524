// The convolutions of NAS-Bench-201 (Dong and Yang, ICLR 2020, section 2.1), with the parameter names of its published
// code. Its other operations are those of DARTS.
#include "mixop/plugin.hpp"
#include "mixop/structure_operator.hpp"

namespace {

using mixop::OpSpec;
using mixop::Structure;

/// ReLU, convolution, batch norm.
Structure convolution(const OpSpec& spec, std::int64_t kernel) {
  const std::int64_t padding = kernel / 2;
  return mixop::relu_conv_norm("",
                               {.in = spec.in,
                                .out = spec.out,
                                .kernel = {kernel, kernel},
                                .stride = {spec.stride, spec.stride},
                                .padding = {padding, padding}},
                               spec.affine);
}

}  // namespace

MIXOP_PLUGIN(
    "mixop.ops.nasbench201", "0.1.0", "The convolutions of NAS-Bench-201 (Dong and Yang, ICLR 2020).",
    mixop::structure_operator<[](const OpSpec& s) { return convolution(s, 1); }>("nor_conv_1x1",
                                                                                 "ReLU, 1x1 convolution, batch norm."),
    mixop::structure_operator<[](const OpSpec& s) { return convolution(s, 3); }>("nor_conv_3x3",
                                                                                 "ReLU, 3x3 convolution, batch norm."));
