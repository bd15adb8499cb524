#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "host/data/dataset_handle.hpp"

/// A data set behind a table of C functions, of which a test can set all that it returns. Pixel i of record r is
/// (i * 3 + r * 11 + split) & 255 and its target r % 3, so a test can compute them by itself. After have_many_sizes(),
/// record r is an image of (r + 2) x (2 r + 3) pixels, all of them of the colour (10 r, 20 r, 255 - r).
struct FakeDataset {
  const char* names[3] = {"a", "b", "c"};
  MixopOptionSpec options[2] = {
      {sizeof(MixopOptionSpec), MIXOP_OPTION_INTEGER, "side", "4", "Unused."},
      {sizeof(MixopOptionSpec), MIXOP_OPTION_TEXT, "colour", "red", "Unused."},
  };
  MixopDatasetInfo info{};
  MixopDataset table{};
  std::int64_t target_shift = 0;
  bool without_instance = false;
  std::string seen_folder, seen_options;
  int closed = 0;
  std::set<std::int64_t> corrupt, unreadable;  // records that `decode` refuses
  int images_a_call = 1;
  std::int32_t told_width = 0;  // that `decode` claims; 0: the image's own
  bool ramp = false;            // decoded images get lighter from left to right
  std::atomic<int> decoded{0};
  std::function<void(std::int64_t record)> before_decode;

  FakeDataset() {
    info.size = sizeof info;
    info.records[MIXOP_SPLIT_TRAIN] = 12;
    info.records[MIXOP_SPLIT_TEST] = 5;
    info.classes = 3;
    info.class_names = names;
    info.channels = 2;
    info.height = 6;
    info.width = 5;
    info.crop_padding = 2;
    info.horizontal_flip = 1;
    for (int c = 0; c < 4; ++c) {
      info.mean[c] = 0.25f + 0.125f * static_cast<float>(c);
      info.deviation[c] = 0.3f + 0.1f * static_cast<float>(c);
    }
    table = {sizeof table, 2, options, "nothing", open, close, answer, read, nullptr};
    opened() = this;
  }
  FakeDataset(const FakeDataset&) = delete;
  FakeDataset& operator=(const FakeDataset&) = delete;

  void have_many_sizes() {
    table.decode = decode;
    info.images_vary = 1;
    info.channels = 3;
    info.height = info.width = 4;
    info.crop_padding = 0;
    info.resize = 5;
    info.crop_area[0] = 0.5;
    info.crop_area[1] = 1;
    info.crop_ratio[0] = 0.75;
    info.crop_ratio[1] = 1.25;
  }

  mixop::DatasetHandle handle(const std::map<std::string, std::string>& values = {}) {
    return mixop::DatasetHandle("fake", table, "some/folder", values);
  }
  static std::uint8_t pixel(int split, std::int64_t record, std::int64_t i) {
    return static_cast<std::uint8_t>((i * 3 + record * 11 + split) & 255);
  }

 private:
  // `open` has no other way to learn which object a test made.
  static FakeDataset*& opened() {
    static FakeDataset* last = nullptr;
    return last;
  }
  static FakeDataset& of(MixopDatasetInstance* instance) { return *reinterpret_cast<FakeDataset*>(instance); }
  static MixopStatus open(const MixopDatasetSource* source, MixopDatasetInstance** instance, MixopError* error) {
    return mixop::guarded(error, [&] {
      FakeDataset& self = *opened();
      self.seen_folder = source->folder;
      for (std::uint32_t i = 0; i < source->option_count; ++i)
        self.seen_options += std::string(source->options[i].name) + "=" + source->options[i].value + ";";
      if (self.seen_folder == "broken") throw mixop::Error(mixop::ErrorCode::bad_data, "no such data");
      if (!self.without_instance) *instance = reinterpret_cast<MixopDatasetInstance*>(&self);
    });
  }
  static void close(MixopDatasetInstance* instance) { ++of(instance).closed; }
  static MixopStatus answer(MixopDatasetInstance* instance, MixopDatasetInfo* info, MixopError*) {
    *info = of(instance).info;
    return MIXOP_OK;
  }
  static MixopStatus read(MixopDatasetInstance* instance, std::int32_t split, std::int64_t first, std::int64_t count,
                          std::uint8_t* values, std::int64_t* targets, MixopError*) {
    const FakeDataset& self = of(instance);
    const std::int64_t bytes = std::int64_t{self.info.channels} * self.info.height * self.info.width;
    for (std::int64_t r = first; r < first + count; ++r) {
      for (std::int64_t i = 0; i < bytes && values != nullptr; ++i) *values++ = pixel(split, r, i);
      *targets++ = r % 3 + self.target_shift;
    }
    return MIXOP_OK;
  }
  static MixopStatus decode(MixopDatasetInstance* instance, std::int32_t, std::int64_t record, MixopImageSink sink,
                            void* context, MixopError* error) {
    return mixop::guarded(error, [&] {
      FakeDataset& self = of(instance);
      ++self.decoded;
      if (self.before_decode) self.before_decode(record);
      const std::string file = "file " + std::to_string(record);
      if (self.corrupt.contains(record)) throw mixop::Error(mixop::ErrorCode::bad_data, file + ": no image");
      if (self.unreadable.contains(record)) throw mixop::Error(mixop::ErrorCode::failed, file + ": no disk");
      const auto height = static_cast<std::int32_t>(record + 2), width = static_cast<std::int32_t>(2 * record + 3);
      std::vector<std::uint8_t> pixels;
      for (std::int32_t i = 0; i < height * width; ++i)
        for (const std::int64_t value : {10 * record, 20 * record, 255 - record})
          pixels.push_back(static_cast<std::uint8_t>(self.ramp ? 255 * (i % width) / width : value));
      for (int i = 0; i < self.images_a_call; ++i)
        sink(context, height, self.told_width == 0 ? width : self.told_width, pixels.data());
    });
  }
};
