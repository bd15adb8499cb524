#include "host/data/policy.hpp"

#include <cmath>

#include "host/data/colours.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

using enum PolicyOperation;
using SubPolicies = std::array<SubPolicy, 25>;

constexpr std::uint8_t kFill = 128;
constexpr double kMagnitudes = 9;

// Table 7 of the paper.
constexpr SubPolicies kCifar = {
    {{{{invert, 0.1}, {contrast, 0.2, 6}}},          {{{rotate, 0.7, 2}, {translate_x, 0.3, 9}}},
     {{{sharpness, 0.8, 1}, {sharpness, 0.9, 3}}},   {{{shear_y, 0.5, 8}, {translate_y, 0.7, 9}}},
     {{{auto_contrast, 0.5}, {equalize, 0.9}}},      {{{shear_y, 0.2, 7}, {posterize, 0.3, 7}}},
     {{{colour, 0.4, 3}, {brightness, 0.6, 7}}},     {{{sharpness, 0.3, 9}, {brightness, 0.7, 9}}},
     {{{equalize, 0.6}, {equalize, 0.5}}},           {{{contrast, 0.6, 7}, {sharpness, 0.6, 5}}},
     {{{colour, 0.7, 7}, {translate_x, 0.5, 8}}},    {{{equalize, 0.3}, {auto_contrast, 0.4}}},
     {{{translate_y, 0.4, 3}, {sharpness, 0.2, 6}}}, {{{brightness, 0.9, 6}, {colour, 0.2, 8}}},
     {{{solarize, 0.5, 2}, {invert, 0.0}}},          {{{equalize, 0.2}, {auto_contrast, 0.6}}},
     {{{equalize, 0.2}, {equalize, 0.6}}},           {{{colour, 0.9, 9}, {equalize, 0.6}}},
     {{{auto_contrast, 0.8}, {solarize, 0.2, 8}}},   {{{brightness, 0.1, 3}, {colour, 0.7, 0}}},
     {{{solarize, 0.4, 5}, {auto_contrast, 0.9}}},   {{{translate_y, 0.9, 9}, {translate_y, 0.7, 9}}},
     {{{auto_contrast, 0.9}, {solarize, 0.8, 3}}},   {{{equalize, 0.8}, {invert, 0.1}}},
     {{{translate_y, 0.7, 9}, {auto_contrast, 0.9}}}}};

// Table 9 of the paper.
constexpr SubPolicies kImageNet = {
    {{{{posterize, 0.4, 8}, {rotate, 0.6, 9}}}, {{{solarize, 0.6, 5}, {auto_contrast, 0.6}}},
     {{{equalize, 0.8}, {equalize, 0.6}}},      {{{posterize, 0.6, 7}, {posterize, 0.6, 6}}},
     {{{equalize, 0.4}, {solarize, 0.2, 4}}},   {{{equalize, 0.4}, {rotate, 0.8, 8}}},
     {{{solarize, 0.6, 3}, {equalize, 0.6}}},   {{{posterize, 0.8, 5}, {equalize, 1.0}}},
     {{{rotate, 0.2, 3}, {solarize, 0.6, 8}}},  {{{equalize, 0.6}, {posterize, 0.4, 6}}},
     {{{rotate, 0.8, 8}, {colour, 0.4, 0}}},    {{{rotate, 0.4, 9}, {equalize, 0.6}}},
     {{{equalize, 0.0}, {equalize, 0.8}}},      {{{invert, 0.6}, {equalize, 1.0}}},
     {{{colour, 0.6, 4}, {contrast, 1.0, 8}}},  {{{rotate, 0.8, 8}, {colour, 1.0, 2}}},
     {{{colour, 0.8, 8}, {solarize, 0.8, 7}}},  {{{sharpness, 0.4, 7}, {invert, 0.6}}},
     {{{shear_x, 0.6, 5}, {equalize, 1.0}}},    {{{colour, 0.4, 0}, {equalize, 0.6}}},
     {{{equalize, 0.4}, {solarize, 0.2, 4}}},   {{{solarize, 0.6, 5}, {auto_contrast, 0.6}}},
     {{{invert, 0.6}, {equalize, 1.0}}},        {{{colour, 0.6, 4}, {contrast, 1.0, 8}}},
     {{{equalize, 0.8}, {equalize, 0.6}}}}};

}  // namespace

Policy policy_of(const std::string& name) {
  if (name == "none") return Policy::none;
  if (name == "autoaugment_cifar") return Policy::autoaugment_cifar;
  if (name == "autoaugment_imagenet") return Policy::autoaugment_imagenet;
  throw Error(ErrorCode::usage,
              "data.policy: expected none, autoaugment_cifar or autoaugment_imagenet, found '" + name + "'");
}

const SubPolicies& sub_policies(Policy policy) { return policy == Policy::autoaugment_cifar ? kCifar : kImageNet; }

void apply_operation(RgbImage& image, PolicyOperation operation, int magnitude, bool negative) {
  const double share = magnitude / kMagnitudes, sign = negative ? -1 : 1;
  const double shear = sign * 0.3 * share;
  const auto factor = static_cast<float>(1 + sign * 0.9 * share);
  const auto pixels_of = [&](std::int32_t side) { return sign * std::floor(150.0 / 331 * side * share); };
  switch (operation) {
    case shear_x:
      return transform(image, {1, shear, 0, 0, 1, 0}, kFill);
    case shear_y:
      return transform(image, {1, 0, 0, shear, 1, 0}, kFill);
    case translate_x:
      return transform(image, {1, 0, pixels_of(image.width), 0, 1, 0}, kFill);
    case translate_y:
      return transform(image, {1, 0, 0, 0, 1, pixels_of(image.height)}, kFill);
    case PolicyOperation::rotate:
      return mixop::rotate(image, sign * 30 * share, kFill);
    case colour:
      return adjust_saturation(image.pixels, factor);
    case PolicyOperation::posterize:
      return mixop::posterize(image.pixels, 8 - static_cast<int>(std::nearbyint(4 * share)));
    case PolicyOperation::solarize:
      return mixop::solarize(image.pixels, 255 * (1 - share));
    case contrast:
      return adjust_contrast(image.pixels, factor);
    case sharpness:
      return adjust_sharpness(image, factor);
    case brightness:
      return adjust_brightness(image.pixels, factor);
    case PolicyOperation::auto_contrast:
      return mixop::auto_contrast(image.pixels);
    case PolicyOperation::equalize:
      return mixop::equalize(image.pixels);
    case PolicyOperation::invert:
      return mixop::invert(image.pixels);
  }
}

void apply_policy(RgbImage& image, Policy policy, RandomStream& random) {
  if (policy == Policy::none) return;
  const SubPolicies& all = sub_policies(policy);
  for (const PolicyStep& step : all[random.below(all.size())]) {
    const bool applies = random.uniform() < step.probability, negative = (random.next() >> 63) != 0;
    if (applies) apply_operation(image, step.operation, step.magnitude, negative);
  }
}

}  // namespace mixop
