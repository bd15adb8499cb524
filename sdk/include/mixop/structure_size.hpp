#pragma once

#include <cstdint>
#include <string>

#include "mixop/graph.hpp"
#include "mixop/structure.hpp"

namespace mixop {

/// "3x32x32"
std::string text_of(const ImageShape& shape);

/// What a structure makes of one sample.
struct StructureSize {
  ImageShape output;
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  ///< of convolutions and linear layers
  /// Numbers that its stages put out in training: all but those of identities, of ReLUs that overwrite what a
  /// convolution or norm gave, and of what is at once shifted or concatenated.
  std::int64_t activations = 0;
};

/// Throws a plugin error where a stage cannot work on what it reads: other channels, too few pixels, unequal shapes.
StructureSize size_of(const Structure& structure, const ImageShape& input);

}  // namespace mixop
