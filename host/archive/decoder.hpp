#pragma once

#include <cstddef>
#include <vector>

#include "host/archive/content.hpp"

// Private to host/archive.

namespace mixop::hdf5 {

/// Bytes that the arrays and texts of a file may have when they are unpacked.
std::uint64_t most_unpacked(std::uint64_t file_bytes);

/// Parses an HDF5 file with its user block and hands on all that it holds, or why it is refused: dataset_problem() and
/// attribute_problem(), links that are not hard, objects that are neither group nor dataset or have two names, groups
/// nested too deep, more than a million objects and attributes, more than most_unpacked() bytes. For a confined
/// process: libhdf5 can be made to crash, to hang and to take any memory by what a file holds.
void decode(std::vector<std::byte>& file, ContentWriter& writer);

}  // namespace mixop::hdf5
