#pragma once

#include <string>

namespace mixop::cli {

/// Follows a search or a training by its archive until it ends: a line an epoch, and one for each change of its
/// strategy. Of an archive whose run has ended prints them all and returns.
void watch(const std::string& file);

}  // namespace mixop::cli
