#include "mixop/plugin.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "image.hpp"
#include "mixop/dataset.hpp"
#include "text.hpp"

namespace mixop::synthetic {
namespace {

std::int64_t ranged(const Options& options, const char* name, std::int64_t low, std::int64_t high) {
  const std::int64_t value = options.integer(name);
  if (value < low || value > high)
    throw Error(ErrorCode::usage, "option '" + std::string(name) + "' must be " + std::to_string(low) + " to " +
                                      std::to_string(high) + ", found " + std::to_string(value));
  return value;
}

/// Gratings whose direction, period and tint tell the class, with random phase, contrast, light, a spot and noise.
class Synthetic final : public Dataset {
 public:
  static constexpr char expects[] = "no files: its images are drawn";
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "classes", "10", "Number of classes, 2 to 1000."),
      option(MIXOP_OPTION_INTEGER, "size", "32", "Side of the square images in pixels, 4 to 512."),
      option(MIXOP_OPTION_INTEGER, "channels", "3", "Channels of an image, 1 to 4."),
      option(MIXOP_OPTION_INTEGER, "train", "4000", "Train images, 1 to 10000000."),
      option(MIXOP_OPTION_INTEGER, "test", "1000", "Test images, 0 to 10000000."),
      option(MIXOP_OPTION_INTEGER, "seed", "0", "Seed of the drawing, 0 or more; apart from the run's seed."),
  };

  Synthetic(const std::string&, const Options& options)
      : shape_{ranged(options, "classes", 2, 1000), ranged(options, "size", 4, 512), ranged(options, "channels", 1, 4),
               static_cast<std::uint64_t>(ranged(options, "seed", 0, INT64_MAX))},
        train_(ranged(options, "train", 1, 10'000'000)),
        test_(ranged(options, "test", 0, 10'000'000)),
        painter_(shape_) {
    for (std::int64_t i = 0; i < shape_.classes; ++i) names_.push_back("class " + std::to_string(i));
    for (const std::string& name : names_) name_pointers_.push_back(name.c_str());
  }

  MixopDatasetInfo info() const override {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_IMAGES;
    info.records[MIXOP_SPLIT_TRAIN] = train_;
    info.records[MIXOP_SPLIT_TEST] = test_;
    info.classes = shape_.classes;
    info.class_names = name_pointers_.data();
    info.channels = static_cast<std::int32_t>(shape_.channels);
    info.height = info.width = static_cast<std::int32_t>(shape_.size);
    // A flip would turn one class's direction into another's, so there is none.
    info.crop_padding = info.height / 8;
    for (int c = 0; c < 4; ++c) {
      info.mean[c] = 0.5f;
      info.deviation[c] = 0.2f;
    }
    return info;
  }

  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
            std::int64_t* targets) const override {
    for (std::int64_t i = first; i < first + count; ++i) {
      painter_.paint(split, i, values);
      values += shape_.channels * shape_.size * shape_.size;
      *targets++ = painter_.label(i);
    }
  }

 private:
  Shape shape_;
  std::int64_t train_, test_;
  Painter painter_;
  std::vector<std::string> names_;
  std::vector<const char*> name_pointers_;
};

class SyntheticText final : public Dataset {
 public:
  static constexpr char expects[] = "no files: its words are drawn";
  static constexpr MixopOptionSpec options[] = {
      option(MIXOP_OPTION_INTEGER, "vocabulary", "200", "Words, 2 to 1000000."),
      option(MIXOP_OPTION_INTEGER, "train", "40000", "Words of the train split, 2 to 1000000000."),
      option(MIXOP_OPTION_INTEGER, "valid", "4000", "Words of the valid split, 2 to 1000000000."),
      option(MIXOP_OPTION_INTEGER, "test", "4000", "Words of the test split, 2 to 1000000000."),
      option(MIXOP_OPTION_INTEGER, "seed", "0", "Seed of the drawing, 0 or more; apart from the run's seed."),
  };

  SyntheticText(const std::string&, const Options& options)
      : vocabulary_(ranged(options, "vocabulary", 2, 1'000'000)),
        writer_(vocabulary_, static_cast<std::uint64_t>(ranged(options, "seed", 0, INT64_MAX))) {
    for (std::int64_t i = 0; i < vocabulary_; ++i) words_.push_back(i == 0 ? "<eos>" : "word" + std::to_string(i));
    for (const std::string& word : words_) word_pointers_.push_back(word.c_str());
    const std::pair<int, const char*> splits[] = {
        {MIXOP_SPLIT_TRAIN, "train"}, {MIXOP_SPLIT_VALID, "valid"}, {MIXOP_SPLIT_TEST, "test"}};
    for (const auto& [split, name] : splits)
      records_[static_cast<std::size_t>(split)] = ranged(options, name, 2, 1'000'000'000);
  }

  MixopDatasetInfo info() const override {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_TEXT;
    for (std::size_t split = 0; split < records_.size(); ++split) info.records[split] = records_[split];
    info.classes = vocabulary_;
    info.class_names = word_pointers_.data();
    return info;
  }

  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t*, std::int64_t* targets) const override {
    for (std::int64_t i = first; i < first + count; ++i) *targets++ = writer_.word(split, i);
  }

 private:
  std::int64_t vocabulary_;
  Writer writer_;
  std::array<std::int64_t, MIXOP_SPLIT_COUNT> records_{};
  std::vector<std::string> words_;
  std::vector<const char*> word_pointers_;
};

}  // namespace
}  // namespace mixop::synthetic

MIXOP_PLUGIN("mixop.datasets.synthetic", "0.1.0", "Learnable images and text drawn from formulae.",
             mixop::dataset<mixop::synthetic::Synthetic>("synthetic", "Drawn images."),
             mixop::dataset<mixop::synthetic::SyntheticText>("synthetic_text", "Drawn text."));
