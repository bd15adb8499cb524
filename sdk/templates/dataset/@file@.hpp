#pragma once

#include <array>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "mixop/dataset.hpp"
#include "mixop/plugin.hpp"

// Grey images of 28x28 pixels in ten classes: records of 785 bytes, the class and the pixels row by row.
class @class@ : public mixop::Dataset {
 public:
  static constexpr char expects[] = "train.bin and test.bin, records of 785 bytes: the class (0 to 9), then 28x28 pixels";
  static constexpr int side = 28, record = 1 + side * side, classes = 10;

  @class@(const std::string& folder, const mixop::Options&)
      : paths_{path(folder, "train.bin"), path(folder, "test.bin")}, train_(contents(paths_[0])), test_(contents(paths_[1])) {}

  MixopDatasetInfo info() const override {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_IMAGES;
    info.records[MIXOP_SPLIT_TRAIN] = static_cast<std::int64_t>(train_.size() / record);
    info.records[MIXOP_SPLIT_TEST] = static_cast<std::int64_t>(test_.size() / record);
    info.classes = classes;
    info.class_names = names_.data();
    info.channels = 1;
    info.height = info.width = side;
    info.crop_padding = 2;
    info.mean[0] = 0.5f;
    info.deviation[0] = 0.25f;
    info.files = files_.data();  // what the archive's digest of the data covers
    info.file_count = files_.size();
    return info;
  }

  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values, std::int64_t* targets) const override {
    const char* from = (split == MIXOP_SPLIT_TRAIN ? train_ : test_).data() + first * record;
    for (std::int64_t i = 0; i < count; ++i, from += record, values += record - 1) {
      targets[i] = static_cast<unsigned char>(*from);
      std::memcpy(values, from + 1, record - 1);
    }
  }

 private:
  static std::string path(const std::string& folder, const char* file) {
    if (folder.empty()) throw mixop::Error(mixop::ErrorCode::usage, std::string("no data folder is given; pass --data DIR with ") + expects);
    return folder + "/" + file;
  }
  static std::vector<char> contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw mixop::Error(mixop::ErrorCode::usage, path + " cannot be opened; expected " + expects);
    std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.empty() || bytes.size() % record != 0)
      throw mixop::Error(mixop::ErrorCode::bad_data, path + " has " + std::to_string(bytes.size()) + " bytes; expected " + expects);
    for (std::size_t i = 0; i < bytes.size(); i += record)
      if (static_cast<unsigned char>(bytes[i]) >= classes)
        throw mixop::Error(mixop::ErrorCode::bad_data, path + ": record " + std::to_string(i / record) + " is of class " +
                                                           std::to_string(static_cast<unsigned char>(bytes[i])) + "; expected 0 to 9");
    return bytes;
  }

  std::array<std::string, 2> paths_;
  std::array<const char*, 2> files_{paths_[0].c_str(), paths_[1].c_str()};
  std::vector<char> train_, test_;
  std::array<const char*, classes> names_{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
};
