#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/data/dataset_handle.hpp"

namespace mixop {

/// An image that cannot be read or decoded.
struct CorruptImage {
  int split;
  std::int64_t record;
  std::string problem;
};

/// Decodes every image of a set of many sizes on `workers` threads (0: one) and returns those that fail, in order of
/// split and record. `progress` is called with how many are done, by one thread at a time.
std::vector<CorruptImage> corrupt_images(const DatasetHandle& data, std::int64_t workers,
                                         const std::function<void(std::int64_t done)>& progress = {});

}  // namespace mixop
