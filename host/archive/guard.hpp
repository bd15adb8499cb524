#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>

// Private to host/archive: what readers refuse of a file, so that its reason can be named. Files are parsed in a confined
// process all the same.

namespace mixop::hdf5 {

/// Why an open dataset of a file of `file_bytes` bytes is refused, or nothing: external or virtual storage, filters
/// other than shuffle, gzip and fletcher32, more than kMostDimensions, more bytes than the file can hold, chunks that
/// are too large, types that ArchiveBuilder does not write.
std::string dataset_problem(hid_t dataset, std::uint64_t file_bytes);

/// The same of an open attribute that is not a dimension scale's.
std::string attribute_problem(hid_t attribute);

}  // namespace mixop::hdf5
