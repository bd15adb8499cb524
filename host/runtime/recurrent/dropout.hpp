#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "mixop/options.hpp"

namespace mixop::darts_rnn {

/// The probabilities of the regularisation of Merity et al. 2018 ("Regularizing and Optimizing LSTM Language Models"),
/// under the names of DARTS' published options.
struct Dropouts {
  double output = 0;     ///< of the cell's outputs before the decoder: --dropout
  double hidden = 0;     ///< of the states that a node reads: --dropouth
  double input = 0;      ///< of the embedded words that the cell reads: --dropoutx
  double embedding = 0;  ///< of the embedded words before that: --dropouti
  double words = 0;      ///< of whole words of the embedding: --dropoute

  static Dropouts of(const Options& options);
};

/// Values 0 and 1 / (1 - probability), each a function of (key, position); like `like` in type and device. Undefined
/// for a probability of 0.
at::Tensor dropout_mask(at::IntArrayRef shape, double probability, std::uint64_t key, const at::Tensor& like);

/// `x` times the mask, or `x` itself without one.
inline at::Tensor masked(const at::Tensor& x, const at::Tensor& mask) { return mask.defined() ? x.mul(mask) : x; }

}  // namespace mixop::darts_rnn
