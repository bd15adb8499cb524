#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mixop/abi/dataset.h"

namespace mixop::imagenet {

/// A folder of images, and the split that they are.
struct SplitFolder {
  std::string name;
  int split;  // MIXOP_SPLIT_*
};

/// How a data set's images lie on disk, and how its messages call that.
struct Layout {
  std::vector<std::string> below;  ///< where the set may lie in the data folder; "" is that folder itself
  std::vector<SplitFolder> splits;
  std::string required;                 ///< a folder that must be there; "" is none
  bool bare = false;                    ///< class folders without split folders above them are the train split
  bool takes_png = false;               ///< and PNM
  std::vector<std::string> extensions;  ///< of the images, in lower case: ".jpg"
  std::vector<std::string> refused;     ///< of images that nothing here reads, and that must not go unnoticed
  std::string splits_text, example, images_text, no_folder, absent, incomplete;
};

/// One image: where its name lies in the listing, and its class.
struct Record {
  std::size_t name;
  std::uint32_t name_size;
  std::uint32_t target;
};

/// The images below a folder.
struct ClassFolders {
  std::filesystem::path root;        // holds the split folders, or the class folders
  std::vector<std::string> classes;  // in the order of their indices
  /// For people, a line each: what lies there and is not read.
  std::string notes;
  /// A line a class, then a line a file, sorted by split, class and name: "<bytes>  <name below root>".
  std::string listing;
  /// Of each split. Classes are spread evenly: every part of a split holds them in nearly the same proportion.
  std::array<std::vector<Record>, MIXOP_SPLIT_COUNT> records;

  std::filesystem::path path_of(const Record& record) const;
};

/// The set below `folder` or in it. Classes are the sorted names of the class folders, or the lines of `classes_file`
/// (a relative name lies in the root). Throws usage where no folder was given, and bad_data naming what does not fit.
ClassFolders find_class_folders(const Layout& layout, const std::string& folder, const std::string& classes_file);

}  // namespace mixop::imagenet
