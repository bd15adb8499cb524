#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "batch.hpp"

namespace mixop::cifar {

/// Where one set lies on disk.
struct Layout {
  Variant variant = Variant::cifar10;
  bool pickled = false;
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> test;
  std::filesystem::path names;  // of the classes; empty where the file is not there
};

/// The first layout found below `folder` or in it. Throws usage where no folder was given and bad_data where there is
/// none, saying which layouts are expected.
Layout find_layout(const std::string& folder, Variant variant);

/// All records of some batches, in order.
Records read_batches(const Layout& layout, const std::vector<std::filesystem::path>& batches);

/// The classes' names from the layout's names file, or their numbers where there is none. Throws bad_data.
std::vector<std::string> class_names(const Layout& layout);

}  // namespace mixop::cifar
