#pragma once

#include <string>

#include "host/data/dataset_handle.hpp"
#include "host/text/sha256.hpp"

namespace mixop {

/// The digest of a data set: SHA-256 over one line `component.option=value` an option, then one line
/// `<sha256>  <file name>` a file, as `sha256sum` prints them; drawn data has its component's name as the first line.
/// Where the files are too many to be read, `<sha256>  listing` stands for them: the digest of their names and sizes.
std::string dataset_digest(const DatasetHandle& data);

}  // namespace mixop
