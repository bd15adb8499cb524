#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>

// Private to host/archive.

namespace mixop::hdf5 {

/// Walks all objects of an open file of `file_bytes` bytes and throws bad_data at the first thing that readers refuse:
/// links that are not hard, objects that are neither group nor dataset, external or virtual storage, filters other than
/// shuffle, gzip and fletcher32, more than kMostDimensions, datasets that claim more than the file can hold, chunks and
/// attributes that are too large, objects of two names and types that ArchiveBuilder does not write.
void check_objects(hid_t file, std::uint64_t file_bytes, const std::string& name);

}  // namespace mixop::hdf5
