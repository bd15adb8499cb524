#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mixop/abi/dataset.h"
#include "mixop/error.hpp"

namespace mixop {

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

  /// Bytes of one image: channels * height * width.
  std::int64_t record_bytes() const { return std::int64_t{channels} * height * width; }
};

/// "train", "valid" or "test".
const char* split_name(int split);

/// An open data set of a plugin. The table must outlive the handle.
class DatasetHandle {
 public:
  /// Opens the data set; `options` are checked values, and those that are absent take the component's defaults.
  /// Throws what the plugin reports, usage for an unknown option, and plugin where the plugin breaks its contract.
  DatasetHandle(std::string name, const MixopDataset& table, const std::string& folder,
                const std::map<std::string, std::string>& options = {});

  const std::string& name() const { return name_; }
  /// All options with their values, defaults included.
  const std::map<std::string, std::string>& options() const { return options_; }
  const DatasetInfo& info() const { return info_; }
  /// Records [first, first + count) of a split; `values` holds count * record_bytes() bytes (text: nullptr), `targets`
  /// count entries. Targets outside [0, classes) are the plugin's error. May be called from several threads.
  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values, std::int64_t* targets) const;

 private:
  using Instance = std::unique_ptr<MixopDatasetInstance, void (*)(MixopDatasetInstance*)>;

  Instance open(const std::string& folder) const;
  DatasetInfo query() const;

  std::string name_;
  const MixopDataset& table_;
  std::map<std::string, std::string> options_;
  Instance instance_;
  DatasetInfo info_;
};

}  // namespace mixop
