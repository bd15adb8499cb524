#pragma once

#include <memory>
#include <vector>

#include "cells.hpp"
#include "dropout.hpp"
#include "mixop/network.hpp"

namespace mixop::darts_rnn {

struct ModelSpec {
  std::int64_t width = 300;
  std::int64_t words = 0;
  Dropouts dropouts;
  double activation_l2 = 0;  ///< of the outputs after dropout: --alpha
  double slowness = 0;       ///< of the outputs' change from word to word: --beta
};

/// The language model around a cell: embedding, cell, and a decoder that shares the embedding's matrix (Inan et al.
/// 2017). Input and target are int64 [time, N]; the state is one tensor [N, width]. `alphas` is empty around a discrete
/// cell.
std::unique_ptr<Network> make_language_model(const ModelSpec& spec, std::unique_ptr<RecurrentCell> cell,
                                             std::vector<AlphaDeclaration> alphas);

}  // namespace mixop::darts_rnn
