#include "mixop/plugin.hpp"

#include <algorithm>

#include "class_folders.hpp"
#include "file.hpp"
#include "jpeg.hpp"
#include "mixop/dataset.hpp"

namespace mixop::imagenet {
namespace {

std::int32_t side(const Options& options, const char* name, std::int64_t low) {
  const std::int64_t value = options.integer(name);
  if (value < low || value > 4096)
    throw Error(ErrorCode::usage, "option '" + std::string(name) + "' must be " + std::to_string(low) +
                                      " to 4096, found " + std::to_string(value));
  return static_cast<std::int32_t>(value);
}

/// The side before the central crop; 0 keeps the published proportion of 256 to 224.
std::int32_t resize_of(const Options& options, std::int32_t size) {
  return options.integer("resize") == 0 ? size * 8 / 7 : side(options, "resize", size);
}

bool skips(const Options& options) {
  const std::string& choice = options.text("on_corrupt");
  if (choice != "fail" && choice != "skip")
    throw Error(ErrorCode::usage, "option 'on_corrupt' must be fail or skip, found '" + choice + "'");
  return choice == "skip";
}

/// ImageNet (Russakovsky et al. 2015), or any set of JPEG files in its layout, decoded image by image.
class ImageNet final : public Dataset {
 public:
  static constexpr char expects[] =
      "train/CLASS/*.JPEG and val/CLASS/*.JPEG (also *.jpeg, *.jpg), in the data folder or in its folder imagenet; "
      "val is the test split";
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "size", "224", "Side of the square images that networks get in pixels, 8 to 4096."),
      option(MIXOP_OPTION_INTEGER, "resize", "0",
             "Shorter side in pixels before evaluation's central crop, size to 4096; 0: 8/7 of size, 256 for 224."),
      option(MIXOP_OPTION_TEXT, "classes", "",
             "File with a class folder's name a line, in the order of the class indices; empty: the sorted folders."),
      option(MIXOP_OPTION_TEXT, "on_corrupt", "fail",
             "What an image that cannot be decoded does: fail ends the run, skip puts the next good record there."),
  };

  ImageNet(const std::string& folder, const Options& options)
      : size_(side(options, "size", 8)),
        resize_(resize_of(options, size_)),
        skip_(skips(options)),
        folders_(find_class_folders(folder, options.text("classes"))) {
    for (const std::string& name : folders_.classes) name_pointers_.push_back(name.c_str());
  }

  MixopDatasetInfo info() const override {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_IMAGES;
    for (std::size_t split = 0; split < MIXOP_SPLIT_COUNT; ++split)
      info.records[split] = static_cast<std::int64_t>(folders_.records[split].size());
    info.classes = static_cast<std::int64_t>(folders_.classes.size());
    info.class_names = name_pointers_.data();
    info.channels = 3;
    info.height = info.width = size_;
    info.horizontal_flip = 1;
    // The constants of the published training scripts (DARTS on ImageNet).
    constexpr float kMean[] = {0.485f, 0.456f, 0.406f}, kDeviation[] = {0.229f, 0.224f, 0.225f};
    constexpr double kJitter[] = {0.4, 0.4, 0.4, 0.2};
    std::copy_n(kMean, 3, info.mean);
    std::copy_n(kDeviation, 3, info.deviation);
    std::copy_n(kJitter, 4, info.jitter);
    info.images_vary = 1;
    info.skip_corrupt = skip_ ? 1 : 0;
    info.resize = resize_;
    info.crop_area[0] = 0.08;
    info.crop_area[1] = 1;
    info.crop_ratio[0] = 3.0 / 4;
    info.crop_ratio[1] = 4.0 / 3;
    info.listing = folders_.listing.c_str();
    return info;
  }

  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t*, std::int64_t* targets) const override {
    for (std::int64_t i = first; i < first + count; ++i) *targets++ = record(split, i).target;
  }

  void decode(int split, std::int64_t index, const Sink& sink) const override {
    const std::filesystem::path path = folders_.path_of(record(split, index));
    const Image image = decode_or_advise(path);
    sink(image.height, image.width, image.pixels.get());
  }

 private:
  Image decode_or_advise(const std::filesystem::path& path) const {
    try {
      return decode_jpeg(path, read_whole(path));
    } catch (const Error& error) {
      if (skip_ || error.code() != ErrorCode::bad_data) throw;
      throw Error(error.code(), error.what() + std::string("; replace the file, or set imagenet.on_corrupt=skip"));
    }
  }

  const Record& record(int split, std::int64_t index) const {
    return folders_.records[static_cast<std::size_t>(split)][static_cast<std::size_t>(index)];
  }

  std::int32_t size_, resize_;
  bool skip_;
  ClassFolders folders_;
  std::vector<const char*> name_pointers_;
};

}  // namespace
}  // namespace mixop::imagenet

MIXOP_PLUGIN("mixop.datasets.imagenet", "0.1.0", "ImageNet and other folders of JPEG files (Russakovsky et al. 2015).",
             mixop::dataset<mixop::imagenet::ImageNet>("imagenet"));
