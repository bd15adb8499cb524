#pragma once

#include <string>

#include "host/plugins/self_test.hpp"
#include "mixop/abi/dataset.h"

namespace mixop {

/// Tries a data set on a folder, which may be empty for none: it opens, or says why not; its records are there, and the same
/// for every thread; its digest is. Of splits beyond 64 MiB the first and the last records are read.
void try_dataset(const MixopDataset& table, const std::string& name, const std::string& folder, const TrialSink& report);

}  // namespace mixop
