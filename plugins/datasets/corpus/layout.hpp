#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <string>

#include "mixop/abi/dataset.h"

namespace mixop::corpus {

/// How a layout names the file of a split: prefix + "train", "valid" or "test" + suffix.
struct FileNames {
  const char* prefix;
  const char* suffix;
};

/// A text set as users have it on disk.
struct Published {
  const char* title;   // in messages
  std::span<const char* const> folders;  // where it may lie below the data folder; none where that alone is meant
  std::span<const FileNames> names;
};

/// The file of every split, by MIXOP_SPLIT_*.
using SplitFiles = std::array<std::filesystem::path, MIXOP_SPLIT_COUNT>;

/// The first complete layout below `folder` or in it. Throws usage where no folder was given and bad_data where a file
/// is missing, saying which were looked for.
SplitFiles find_layout(const std::string& folder, const Published& set);

}  // namespace mixop::corpus
