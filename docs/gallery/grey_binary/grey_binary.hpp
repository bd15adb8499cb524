#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "mixop/dataset.hpp"
#include "mixop/plugin.hpp"

// Grey images of one size: train.grey and test.grey of a folder. A file is a header of 16 bytes, little endian, then a
// byte a record for its class, then the pixels, record by record and row by row.
//   "GREY"  u32 records  u16 height  u16 width  u16 classes  u16 zero
class GreyBinary : public mixop::Dataset {
 public:
  static constexpr char expects[] = "train.grey and test.grey: \"GREY\", sizes, classes and pixels of grey images";
  static constexpr MixopOptionSpec options[] = {
      mixop::option(MIXOP_OPTION_BOOL, "flip", "true", "Training mirrors every second image."),
  };
  static constexpr std::size_t header = 16;

  GreyBinary(const std::string& folder, const mixop::Options& given)
      : flip_(given.flag("flip")),
        paths_{path(folder, "train.grey"), path(folder, "test.grey")},
        splits_{Split(paths_[0]), Split(paths_[1])} {
    const Split &train = splits_[0], &test = splits_[1];
    if (train.height != test.height || train.width != test.width || train.classes != test.classes)
      bad(paths_[1], "has images of " + test.shape() + "; expected those of train.grey, " + train.shape());
    for (std::int64_t i = 0; i < train.classes; ++i) names_.push_back(std::to_string(i));
    for (const std::string& name : names_) name_pointers_.push_back(name.c_str());
    for (const std::string& path : paths_) path_pointers_.push_back(path.c_str());
  }

  MixopDatasetInfo info() const override {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_IMAGES;
    info.records[MIXOP_SPLIT_TRAIN] = splits_[0].records;
    info.records[MIXOP_SPLIT_TEST] = splits_[1].records;
    info.classes = splits_[0].classes;
    info.class_names = name_pointers_.data();
    info.channels = 1;
    info.height = static_cast<std::int32_t>(splits_[0].height);
    info.width = static_cast<std::int32_t>(splits_[0].width);
    info.crop_padding = 2;
    info.horizontal_flip = flip_ ? 1 : 0;
    info.mean[0] = 0.5f;
    info.deviation[0] = 0.25f;
    info.files = path_pointers_.data();  // what the archive's digest covers
    info.file_count = static_cast<std::uint32_t>(path_pointers_.size());
    return info;
  }

  // Called from several threads: it changes nothing. The range has been checked.
  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
            std::int64_t* targets) const override {
    const Split& from = splits_[split == MIXOP_SPLIT_TRAIN ? 0 : 1];
    const std::int64_t pixels = from.height * from.width;
    const char *classes = from.bytes.data() + header, *images = classes + from.records;
    for (std::int64_t i = 0; i < count; ++i) targets[i] = static_cast<unsigned char>(classes[first + i]);
    std::memcpy(values, images + first * pixels, static_cast<std::size_t>(count * pixels));
  }

 private:
  static std::string path(const std::string& folder, const std::string& name) {
    if (folder.empty())
      throw mixop::Error(mixop::ErrorCode::usage,
                         std::string("no folder is named; expected --data DIR with ") + expects);
    return folder + "/" + name;
  }

  [[noreturn]] static void bad(const std::string& path, const std::string& problem) {
    throw mixop::Error(mixop::ErrorCode::bad_data, path + " " + problem);
  }

  // One file, checked before any of it is believed.
  struct Split {
    explicit Split(const std::string& path) {
      std::ifstream file(path, std::ios::binary);
      if (!file) throw mixop::Error(mixop::ErrorCode::usage, path + " cannot be opened; expected " + expects);
      bytes.assign(std::istreambuf_iterator<char>(file), {});
      if (bytes.size() < header || std::memcmp(bytes.data(), "GREY", 4) != 0)
        bad(path, "does not begin with a header of 16 bytes and \"GREY\"");
      records = number(4, 4), height = number(8, 2), width = number(10, 2), classes = number(12, 2);
      if (records < 1 || height < 4 || width < 4 || height > 4096 || width > 4096 || classes < 2 || classes > 256)
        bad(path, "has " + std::to_string(records) + " images of " + shape() +
                      "; expected at least one, sides of 4 to 4096 pixels and 2 to 256 classes");
      const std::int64_t expected = static_cast<std::int64_t>(header) + records * (1 + height * width);
      if (static_cast<std::int64_t>(bytes.size()) != expected)
        bad(path, "has " + std::to_string(bytes.size()) + " bytes; its header asks for " + std::to_string(expected));
      for (std::int64_t i = 0; i < records; ++i)
        if (const int label = static_cast<unsigned char>(bytes[header + static_cast<std::size_t>(i)]); label >= classes)
          bad(path, "has class " + std::to_string(label) + " in record " + std::to_string(i) + "; expected less than " +
                        std::to_string(classes));
    }
    std::int64_t number(std::size_t at, std::size_t count) const {
      std::int64_t value = 0;
      for (std::size_t i = at + count; i-- > at;) value = 256 * value + static_cast<unsigned char>(bytes[i]);
      return value;
    }
    std::string shape() const {
      return std::to_string(height) + "x" + std::to_string(width) + " pixels in " + std::to_string(classes) +
             " classes";
    }
    std::vector<char> bytes;
    std::int64_t records = 0, height = 0, width = 0, classes = 0;
  };

  bool flip_;
  std::string paths_[2];
  Split splits_[2];
  std::vector<std::string> names_;
  std::vector<const char*> name_pointers_, path_pointers_;
};
