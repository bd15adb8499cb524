#pragma once

#include <ATen/core/ATen_fwd.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace mixop {

/// While it lives and is `on`, convolutions and matrix products on a device run in bfloat16 on casts of their operands.
/// Weights and their gradients stay in float32, sums of norms are in float32, and so is the loss of
/// cross_entropy() (host/runtime/loss.hpp).
class LowPrecision {
 public:
  LowPrecision(at::Device device, bool on);
  ~LowPrecision();
  LowPrecision(const LowPrecision&) = delete;
  LowPrecision& operator=(const LowPrecision&) = delete;

 private:
  c10::DeviceType device_;
  bool on_, before_ = false;
  c10::ScalarType type_before_ = c10::ScalarType::Undefined;
};

}  // namespace mixop
