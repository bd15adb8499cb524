#pragma once

#include <c10/core/Device.h>

#include <string>

namespace mixop {

/// "auto", "cpu", "cuda" or "cuda:N" as a device; throws a usage error where there is no such device.
at::Device device_of(const std::string& name);

}  // namespace mixop
