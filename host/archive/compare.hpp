#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"

namespace mixop {

struct ArchiveDifference {
  std::string path;  ///< "/weights/stem.0.weight"; "/path@name" for an attribute
  std::string what;  ///< "only in the first", "3 of 100 values, the largest by 0.5", ...
};

/// Everything in which two archives differ, in the order of the first; empty where they are equal to the bit. The order
/// of a group's members counts.
std::vector<ArchiveDifference> compare_archives(const Archive& first, const Archive& second);

}  // namespace mixop
