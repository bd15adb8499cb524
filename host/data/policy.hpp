#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "host/data/pixel_operations.hpp"
#include "mixop/random.hpp"

namespace mixop {

/// A learned augmentation policy of AutoAugment (Cubuk et al. 2019).
enum class Policy { none, autoaugment_cifar, autoaugment_imagenet };

/// The policy that data.policy names; throws usage for another name.
Policy policy_of(const std::string& name);

enum class PolicyOperation {
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  colour,
  posterize,
  solarize,
  contrast,
  sharpness,
  brightness,
  auto_contrast,
  equalize,
  invert
};

/// One of a sub-policy's two operations.
struct PolicyStep {
  PolicyOperation operation;
  double probability;
  int magnitude = 0;  ///< 0 to 9, of ten that divide the operation's range evenly
};

using SubPolicy = std::array<PolicyStep, 2>;

/// The 25 sub-policies, in the order of the paper's appendix; not for Policy::none.
const std::array<SubPolicy, 25>& sub_policies(Policy policy);

/// Applies an operation at a magnitude of 0 to 9; `negative` turns the direction of those that have one. The ranges are
/// the paper's: shear 0.3, translation 150/331 of the side, rotation 30 degrees, colour, contrast, sharpness and
/// brightness 1 +- 0.9, posterize 8 to 4 bits, solarize 255 to 0. What comes in from beyond the border is grey (128).
void apply_operation(RgbImage& image, PolicyOperation operation, int magnitude, bool negative);

/// Applies a sub-policy that is drawn uniformly, each of its operations with its probability and a random direction.
void apply_policy(RgbImage& image, Policy policy, RandomStream& random);

}  // namespace mixop
