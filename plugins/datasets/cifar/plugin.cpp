#include "mixop/plugin.hpp"

#include <algorithm>

#include "batch.hpp"
#include "layout.hpp"
#include "mixop/dataset.hpp"

namespace mixop::cifar {
namespace {

/// CIFAR-10 or CIFAR-100 (Krizhevsky 2009), whole in memory.
class Cifar : public Dataset {
 public:
  MixopDatasetInfo info() const final {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_IMAGES;
    info.records[MIXOP_SPLIT_TRAIN] = static_cast<std::int64_t>(train_.labels.size());
    info.records[MIXOP_SPLIT_TEST] = static_cast<std::int64_t>(test_.labels.size());
    info.classes = class_count(variant_);
    info.class_names = name_pointers_.data();
    info.channels = 3;
    info.height = info.width = 32;
    info.crop_padding = 4;
    info.horizontal_flip = 1;
    set_normalisation(info);
    info.files = file_pointers_.data();
    info.file_count = static_cast<std::uint32_t>(file_pointers_.size());
    return info;
  }

  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
            std::int64_t* targets) const final {
    if (count == 0) return;
    const Records& records = split == MIXOP_SPLIT_TRAIN ? train_ : test_;
    std::copy_n(records.pixels.begin() + first * kImageBytes, count * kImageBytes, values);
    std::copy_n(records.labels.begin() + first, count, targets);
  }

 protected:
  Cifar(const std::string& folder, Variant variant) : variant_(variant) {
    const Layout layout = find_layout(folder, variant);
    names_ = class_names(layout);
    train_ = read_batches(layout, layout.train);
    test_ = read_batches(layout, layout.test);
    for (const auto* batches : {&layout.train, &layout.test})
      for (const auto& path : *batches) files_.push_back(path.string());
    if (!layout.names.empty()) files_.push_back(layout.names.string());
    for (const std::string& name : names_) name_pointers_.push_back(name.c_str());
    for (const std::string& file : files_) file_pointers_.push_back(file.c_str());
  }

 private:
  /// The constants of the published search code (DARTS), for pixels in [0, 1].
  void set_normalisation(MixopDatasetInfo& info) const {
    constexpr float kMean[2][3] = {{0.49139968f, 0.48215827f, 0.44653124f}, {0.5071f, 0.4867f, 0.4408f}};
    constexpr float kDeviation[2][3] = {{0.24703233f, 0.24348505f, 0.26158768f}, {0.2675f, 0.2565f, 0.2761f}};
    const int row = variant_ == Variant::cifar10 ? 0 : 1;
    std::copy_n(kMean[row], 3, info.mean);
    std::copy_n(kDeviation[row], 3, info.deviation);
  }

  Variant variant_;
  Records train_, test_;
  std::vector<std::string> names_, files_;
  std::vector<const char*> name_pointers_, file_pointers_;
};

class Cifar10 final : public Cifar {
 public:
  static constexpr char expects[] =
      "cifar-10-batches-bin/data_batch_1.bin to data_batch_5.bin, test_batch.bin, batches.meta.txt (optional); or "
      "cifar-10-batches-py/data_batch_1 to data_batch_5, test_batch, batches.meta (optional); record counts are free";
  Cifar10(const std::string& folder, const Options&) : Cifar(folder, Variant::cifar10) {}
};

class Cifar100 final : public Cifar {
 public:
  static constexpr char expects[] =
      "cifar-100-binary/train.bin, test.bin, fine_label_names.txt (optional); or cifar-100-python/train, test, meta "
      "(optional); record counts are free";
  Cifar100(const std::string& folder, const Options&) : Cifar(folder, Variant::cifar100) {}
};

}  // namespace
}  // namespace mixop::cifar

MIXOP_PLUGIN("mixop.datasets.cifar", "0.1.0", "CIFAR-10 and CIFAR-100, binary and pickled (Krizhevsky 2009).",
             mixop::dataset<mixop::cifar::Cifar10>("cifar10", "CIFAR-10."),
             mixop::dataset<mixop::cifar::Cifar100>("cifar100", "CIFAR-100."));
