#pragma once

#include <string>
#include <vector>

#include "class_folders.hpp"
#include "image.hpp"
#include "mixop/dataset.hpp"
#include "mixop/plugin.hpp"

namespace mixop::imagenet {

/// What a set of folders decides beside its layout.
struct Choices {
  const char* name;           ///< the component's
  std::int32_t height, width, resize;  ///< see MixopDatasetInfo
  bool skip_corrupt;
  double least_area = 0.08;  ///< training: the smallest share of the area that a crop shows
  bool flip = true;          ///< training
  double jitter = 1;         ///< training: times the published strengths of the colours' changes; 0: none
  Image (*decode)(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);
};

// Options that every such set has.
inline constexpr MixopOptionSpec kResizeOption =
    option(MIXOP_OPTION_INTEGER, "resize", "0",
           "Evaluation: shorter side in pixels before the central crop, from that of size to 4096; 0: 8/7 of it, 256 for "
           "224.");
inline constexpr MixopOptionSpec kClassesOption =
    option(MIXOP_OPTION_TEXT, "classes", "",
           "File with a class folder's name a line, in the order of the class indices; empty: the sorted folders.");
inline constexpr MixopOptionSpec kCorruptOption =
    option(MIXOP_OPTION_TEXT, "on_corrupt", "fail",
           "What an image that cannot be decoded does: fail ends the run, skip puts the next good record there.");

/// The options size, resize and on_corrupt, checked.
Choices choices_of(const Options& options, const char* name);

/// Images in class folders, decoded one by one and augmented as the published training on ImageNet does it.
class FolderImages : public Dataset {
 public:
  MixopDatasetInfo info() const override;
  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
            std::int64_t* targets) const override;
  void decode(int split, std::int64_t index, const Sink& sink) const override;

 protected:
  FolderImages(ClassFolders folders, const Choices& choices);

 private:
  Image decode_or_advise(const std::filesystem::path& path) const;
  const Record& record(int split, std::int64_t index) const;

  ClassFolders folders_;
  Choices choices_;
  std::vector<const char*> name_pointers_;
};

}  // namespace mixop::imagenet
