#pragma once

#include <string>

#include "host/archive/archive.hpp"
#include "host/json/json_writer.hpp"
#include "host/session/application.hpp"

namespace mixop {

/// Whether a checked archive is that of a network whose confusions are counted: of images.
bool has_confusions(const Archive& archive);

/// Measures such a network on the test split of the data in `folder`, as the member "evaluation": figures and samples,
/// of each class how many of its samples were taken for it, the most frequent confusions, and the matrix as an image.
/// Throws where the data is not there, is other data or has no test split.
void write_evaluation(JsonWriter& json, const Archive& archive, const std::string& folder,
                      const Application& application);

}  // namespace mixop
