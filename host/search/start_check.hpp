#pragma once

#include <functional>
#include <string>

#include "host/search/search.hpp"

namespace mixop {

/// Throws a usage error where `pass`, a training pass on one image, fails: batch norm over a map of 1x1 has nothing to
/// normalise then. `batch_key` is the key to change.
void require_single_image(const std::string& batch_key, const std::function<void()>& pass);

/// Tries the smallest batch of a search's epochs where that is one image; nothing changes. Better known before the
/// first step than after an epoch.
void try_smallest_batch(Search& search);

}  // namespace mixop
