#include "host/train/low_precision.hpp"

#include <ATen/autocast_mode.h>

namespace mixop {

LowPrecision::LowPrecision(at::Device device, bool on) : device_(device.type()), on_(on) {
  if (!on_) return;
  before_ = at::autocast::is_autocast_enabled(device_);
  type_before_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
}

LowPrecision::~LowPrecision() {
  if (!on_) return;
  at::autocast::clear_cache();  // the weights change before the next pass
  at::autocast::set_autocast_enabled(device_, before_);
  at::autocast::set_autocast_dtype(device_, type_before_);
}

}  // namespace mixop
