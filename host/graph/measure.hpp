#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/graph/operators.hpp"
#include "mixop/graph.hpp"

namespace mixop {

struct Cost {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;        ///< convolutions and linear layers of one sample, in evaluation
  std::int64_t activations = 0;          ///< numbers that its layers put out for one sample, in training
  std::vector<std::string> uncounted{};  ///< operators that do not report their multiply-adds
  Cost& operator+=(const Cost& other);
};

/// A part of a network, or a layer within one.
struct NetworkPart {
  std::string name;                   ///< begins the names of its state within the part around it: "cells.3", "_ops.5"
  std::string kind;                   ///< "reduce", "sep_conv_3x3 0 -> 2"
  ImageShape output;                  ///< for one sample; text: the width as channels
  Cost own{};                         ///< of a part without layers
  std::vector<NetworkPart> layers{};  ///< in order
  bool training_only = false;         ///< runs in training alone, as the auxiliary head does

  Cost cost() const;
};

/// What a network is made of: one part a block, from input to output.
struct MeasuredNetwork {
  std::vector<NetworkPart> parts;
  /// Of the candidates by alpha set, in the order of its tensor, summed over the cells that it drives. Recurrent
  /// candidates have no parameters and multiply-adds of their own.
  std::vector<std::vector<Cost>> candidates{};

  /// Without what runs in training only.
  Cost cost() const;
  /// Parameters of what runs in training only; 0 where nothing does.
  std::int64_t auxiliary_parameters() const;
};

/// Sizes a sound graph (see check()) without making its tensors. Of an operator that neither describes nor counts
/// itself one instance is made for each spec. What candidates of one node begin with is put out once, and candidates
/// that are zero put out nothing. Throws a plugin error where shapes do not fit together.
MeasuredNetwork measure(const NetworkGraph& graph, const OperatorCatalog& operators);

}  // namespace mixop
