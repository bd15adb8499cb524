#include "mixop/plugin.hpp"

#include "folder_images.hpp"
#include "jpeg.hpp"
#include "orientation.hpp"

namespace mixop::imagenet {
namespace {

Layout imagenet_layout() {
  Layout layout;
  layout.below = {"imagenet", ""};
  layout.splits = {{"train", MIXOP_SPLIT_TRAIN}, {"val", MIXOP_SPLIT_TEST}};
  layout.extensions = {".jpeg", ".jpg", ".jpe", ".jfif"};
  layout.splits_text = "train and val";
  layout.example = "CLASS/*.JPEG";
  layout.images_text = "*.JPEG, *.jpeg or *.jpg";
  layout.no_folder = "that holds train/CLASS/*.JPEG and val/CLASS/*.JPEG, or that holds imagenet with them";
  layout.absent =
      "no ImageNet in this folder; expected train/CLASS/*.JPEG and val/CLASS/*.JPEG in it or in its folder imagenet; "
      "unpack the published archives so or name another folder";
  layout.incomplete = "the set is incomplete, unpack it again";
  return layout;
}

/// ImageNet (Russakovsky et al. 2015), or any set of JPEG files in its layout.
class ImageNet final : public FolderImages {
 public:
  static constexpr char expects[] =
      "train/CLASS/*.JPEG and val/CLASS/*.JPEG (also *.jpeg, *.jpg), in the data folder or in its folder imagenet; "
      "val is the test split";
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_TEXT, "size", "224",
             "Side in pixels of the square images that networks get, or HEIGHTxWIDTH, 8 to 4096 each."),
      kResizeOption, kClassesOption, kCorruptOption};

  ImageNet(const std::string& folder, const Options& options) : ImageNet(folder, options, choices(options)) {}

 private:
  ImageNet(const std::string& folder, const Options& options, const Choices& choices)
      : FolderImages(find_class_folders(imagenet_layout(), folder, options.text("classes")), choices) {}

  static Choices choices(const Options& options) {
    Choices made = choices_of(options, "imagenet");
    made.decode = decode_jpeg;
    return made;
  }
};

/// How one's own images may lie; `test` names the folder of the test split, or none.
Layout own_layout(const std::string& test) {
  Layout layout;
  layout.below = {""};
  layout.splits = {{"train", MIXOP_SPLIT_TRAIN}, {"training", MIXOP_SPLIT_TRAIN}};
  constexpr std::pair<const char*, const char*> kTests[] = {
      {"test", "test"}, {"test", "testing"}, {"val", "val"}, {"val", "validation"}, {"valid", "valid"}};
  for (const auto& [option, name] : kTests)
    if (test.empty() || test == option) layout.splits.push_back({name, MIXOP_SPLIT_TEST});
  layout.required = test;
  layout.bare = layout.takes_png = true;
  layout.extensions = {".jpeg", ".jpg", ".jpe", ".jfif", ".png", ".ppm", ".pgm"};
  layout.refused = {".heic", ".heif", ".avif", ".webp", ".gif", ".bmp", ".tif", ".tiff"};
  layout.splits_text = "folders named after classes, or train and test with these";
  layout.example = "CLASS/*.jpg or CLASS/*.png";
  layout.images_text = "*.jpg, *.jpeg, *.jpe, *.jfif, *.png, *.ppm or *.pgm";
  layout.no_folder = "that holds train/CLASS/*.jpg and test/CLASS/*.jpg, or CLASS/*.jpg (also *.jpeg, *.png)";
  layout.incomplete = "put images of every class into every split";
  return layout;
}

std::string test_folder(const Options& options) {
  const std::string& name = options.text("test");
  if (name != "" && name != "test" && name != "val" && name != "valid")
    throw Error(ErrorCode::usage, "option 'test' must be test, val, valid or empty, found '" + name + "'");
  return name;
}

double ranged(const Options& options, const char* name, double low, double high) {
  const double value = options.real(name);
  if (!(value >= low && value <= high)) {
    const auto shown = [](double number) {
      std::string text = std::to_string(number);
      text.erase(text.find_last_not_of('0') + 1);
      return text.back() == '.' ? text.substr(0, text.size() - 1) : text;
    };
    throw Error(ErrorCode::usage, "option '" + std::string(name) + "' must be " + shown(low) + " to " + shown(high) +
                                      ", found " + shown(value));
  }
  return value;
}

/// One's own photographs or drawings, of any sizes.
class ImageFolder final : public FolderImages {
 public:
  static constexpr char expects[] =
      "train/CLASS/*.jpg with test/CLASS/*.jpg (or val, or valid), or CLASS/*.jpg alone, which is all train split: "
      "hold "
      "records out by data.train_portion (also *.jpeg, *.png, *.ppm; folders within a class are of it)";
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_TEXT, "size", "224",
             "Side in pixels of the square images that networks get, or HEIGHTxWIDTH, 8 to 4096 each; space.stem=auto "
             "takes ImageNet's stem from 128 on."),
      kResizeOption,
      kClassesOption,
      kCorruptOption,
      option(MIXOP_OPTION_TEXT, "test", "",
             "Folder of the test split: test, val or valid; empty: the first of these that is there."),
      option(MIXOP_OPTION_REAL, "crop_area", "0.08",
             "Training: the smallest share of an image's area that a random crop shows, 0.01 to 1."),
      option(MIXOP_OPTION_BOOL, "flip", "true",
             "Training: mirrors every second image; false where left and right tell classes apart."),
      option(MIXOP_OPTION_REAL, "jitter", "1",
             "Training: strength of the random colours, 0 (none) to 2; 1 is that of training on ImageNet.")};

  ImageFolder(const std::string& folder, const Options& options)
      : ImageFolder(folder, options, choices(options), test_folder(options)) {}

 private:
  ImageFolder(const std::string& folder, const Options& options, const Choices& choices, const std::string& test)
      : FolderImages(find_class_folders(own_layout(test), folder, options.text("classes")), choices) {}

  static Choices choices(const Options& options) {
    Choices made = choices_of(options, "image_folder");
    made.least_area = ranged(options, "crop_area", 0.01, 1);
    made.flip = options.flag("flip");
    made.jitter = ranged(options, "jitter", 0, 2);
    made.decode = [](const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
      return upright(decode_image(path, bytes));
    };
    return made;
  }
};

}  // namespace
}  // namespace mixop::imagenet

MIXOP_PLUGIN("mixop.datasets.imagenet", "0.2.0",
             "ImageNet (Russakovsky et al. 2015), and one's own folders of JPEG, PNG and PNM files.",
             mixop::dataset<mixop::imagenet::ImageNet>("imagenet", "ImageNet, a folder for each class."),
             mixop::dataset<mixop::imagenet::ImageFolder>("image_folder",
                                                          "Images of one's own, a folder for each class."));
