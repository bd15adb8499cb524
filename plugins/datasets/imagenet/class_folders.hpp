#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mixop/abi/dataset.h"

namespace mixop::imagenet {

/// One image: where its name lies in the listing, and its class.
struct Record {
  std::size_t name;
  std::uint32_t name_size;
  std::uint32_t target;
};

/// The images below a folder.
struct ClassFolders {
  std::filesystem::path root;        // holds train/ and val/
  std::vector<std::string> classes;  // in the order of their indices
  /// A line a class, then a line a file, sorted by split, class and name: "<bytes>  <name below root>".
  std::string listing;
  /// Of each split (train/ is train, val/ is test). Classes are spread evenly: every part of a split holds them in
  /// nearly the same proportion.
  std::array<std::vector<Record>, MIXOP_SPLIT_COUNT> records;

  std::filesystem::path path_of(const Record& record) const;
};

/// The set below `folder` or in it. Classes are the sorted names of the class folders, or the lines of `classes_file`
/// (a relative name lies beside train/). Throws usage where no folder was given, and bad_data naming what does not fit.
ClassFolders find_class_folders(const std::string& folder, const std::string& classes_file);

}  // namespace mixop::imagenet
