#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mixop/abi/dataset.h"
#include "mixop/error.hpp"

namespace mixop {

/// A random crop: its share of the image's area and its width / height, lowest and highest.
struct CropRange {
  std::array<double, 2> area{};
  std::array<double, 2> ratio{};
};

/// How far brightness, contrast, saturation and hue change in training; 0: not at all.
struct ColourJitter {
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;
};

/// How images of many sizes become images of one.
struct ManySizes {
  std::int32_t resize = 0;  ///< evaluation: of the box that the image covers, see central_crop()
  CropRange crop;           ///< training
  ColourJitter jitter;      ///< training
  bool skip_corrupt = false;
};

/// What a data set says about itself, copied out of the plugin and validated.
struct DatasetInfo {
  std::int32_t kind = MIXOP_DATA_IMAGES;
  std::array<std::int64_t, MIXOP_SPLIT_COUNT> records{};
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  std::int32_t channels = 0, height = 0, width = 0;
  std::int32_t crop_padding = 0;
  bool horizontal_flip = false;
  std::array<float, 4> mean{}, deviation{};
  std::vector<std::string> files;
  std::vector<std::string> notes;       ///< for people: what of the data is left out, or how it is taken
  std::optional<ManySizes> many_sizes;  ///< where records have sizes of their own and are decoded

  /// Bytes of one image: channels * height * width.
  std::int64_t record_bytes() const { return std::int64_t{channels} * height * width; }
};

/// Takes a decoded image.
using ImageSink = std::function<void(std::int32_t height, std::int32_t width, const std::uint8_t* pixels)>;

/// "train", "valid" or "test".
const char* split_name(int split);

/// An open data set of a plugin. The table must outlive the handle.
class DatasetHandle {
 public:
  /// Opens the data set; `options` are checked against their types, and those that are absent take the component's
  /// defaults.
  /// Throws what the plugin reports, usage for an unknown option, and plugin where the plugin breaks its contract.
  /// Messages name it as `called`, by default "data set 'NAME'".
  DatasetHandle(std::string name, const MixopDataset& table, const std::string& folder,
                const std::map<std::string, std::string>& options = {}, const std::string& called = {});

  const std::string& name() const { return name_; }
  /// All options with their values, defaults included.
  const std::map<std::string, std::string>& options() const { return options_; }
  const DatasetInfo& info() const { return info_; }
  /// What the data set's digest covers in place of the bytes of its files; empty where it covers those.
  std::string_view listing() const { return listing_; }
  /// Records [first, first + count) of a split; `values` holds count * record_bytes() bytes (text, and images of many
  /// sizes: nullptr), `targets` count entries. Targets outside [0, classes) are bad data. May be called from
  /// several threads.
  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values, std::int64_t* targets) const;
  /// Calls `sink` once with a record's image, uint8[height][width][channels], which is valid for that call: for images
  /// of many sizes. Throws bad_data, naming the file, where it cannot be decoded. May be called from several threads.
  void decode(int split, std::int64_t record, const ImageSink& sink) const;

 private:
  using Instance = std::unique_ptr<MixopDatasetInstance, void (*)(MixopDatasetInstance*)>;

  Instance open(const std::string& folder) const;
  DatasetInfo query();
  void require_records(int split, std::int64_t first, std::int64_t count) const;
  std::string place(int split) const;

  std::string name_;
  std::string called_;
  const MixopDataset& table_;
  std::map<std::string, std::string> options_;
  Instance instance_;
  DatasetInfo info_;
  std::string_view listing_;
};

}  // namespace mixop
