#include "host/data/dataset_handle.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mixop {
namespace {

constexpr std::int64_t kMaxRecords = std::int64_t{1} << 40;
constexpr std::int64_t kMaxClasses = std::int64_t{1} << 24;
constexpr std::int64_t kMaxSide = 16384;
constexpr std::int64_t kMaxFiles = std::int64_t{1} << 20;

/// Judges one data set's answers; every complaint names it.
class Contract {
 public:
  explicit Contract(const std::string& name) : name_(name) {}

  [[noreturn]] void broken(const std::string& how) const {
    throw Error(ErrorCode::plugin,
                "data set '" + name_ + "' breaks its contract: " + how + "; its plugin must be mended");
  }
  void within(const std::string& what, std::int64_t value, std::int64_t low, std::int64_t high) const {
    if (value < low || value > high)
      broken(what + " must be " + std::to_string(low) + " to " + std::to_string(high) + ", found " +
             std::to_string(value));
  }
  std::vector<std::string> texts(const char* what, const char* const* values, std::int64_t count) const {
    std::vector<std::string> copies;
    for (std::int64_t i = 0; i < count; ++i) {
      if (values == nullptr || values[i] == nullptr)
        broken(std::string(what) + " holds no text at " + std::to_string(i) + " of " + std::to_string(count));
      copies.emplace_back(values[i]);
    }
    return copies;
  }

 private:
  const std::string& name_;
};

void check_table(const Contract& contract, const MixopDataset& table) {
  if (table.size < sizeof(MixopDataset))
    contract.broken("its table has " + std::to_string(table.size) + " bytes, expected at least " +
                    std::to_string(sizeof(MixopDataset)));
  if (table.open == nullptr || table.close == nullptr || table.info == nullptr || table.read == nullptr)
    contract.broken("its table lacks a function (open, close, info and read are required)");
  if (table.option_count > 0 && table.options == nullptr) contract.broken("its table lists no options");
}

std::map<std::string, std::string> with_defaults(const std::string& name, const MixopDataset& table,
                                                 const std::map<std::string, std::string>& given) {
  std::map<std::string, std::string> all;
  for (std::uint32_t i = 0; i < table.option_count; ++i) all[table.options[i].name] = table.options[i].default_value;
  for (const auto& [key, value] : given) {
    if (!all.contains(key)) {
      std::string known;
      for (const auto& option : all) known += (known.empty() ? "" : ", ") + option.first;
      throw Error(ErrorCode::usage,
                  "data set '" + name + "' has no option '" + key + "'; it has: " + (known.empty() ? "none" : known));
    }
    all[key] = value;
  }
  return all;
}

void check_image_fields(const Contract& contract, const MixopDatasetInfo& raw) {
  contract.within("channels", raw.channels, 1, 4);
  contract.within("height", raw.height, 1, kMaxSide);
  contract.within("width", raw.width, 1, kMaxSide);
  contract.within("crop_padding", raw.crop_padding, 0, std::min(raw.height, raw.width));
  contract.within("horizontal_flip", raw.horizontal_flip, 0, 1);
  for (int c = 0; c < raw.channels; ++c)
    if (!std::isfinite(raw.mean[c]) || !std::isfinite(raw.deviation[c]) || raw.deviation[c] <= 0.0f)
      contract.broken("mean and deviation of channel " + std::to_string(c) + " must be finite, the deviation above 0");
}

}  // namespace

const char* split_name(int split) {
  switch (split) {
    case MIXOP_SPLIT_TRAIN:
      return "train";
    case MIXOP_SPLIT_VALID:
      return "valid";
    case MIXOP_SPLIT_TEST:
      return "test";
  }
  throw Error(ErrorCode::usage, "split " + std::to_string(split) + " does not exist; expected 0 (train) to 2 (test)");
}

DatasetHandle::DatasetHandle(std::string name, const MixopDataset& table, const std::string& folder,
                             const std::map<std::string, std::string>& options)
    : name_(std::move(name)), table_(table), instance_(nullptr, nullptr) {
  check_table(Contract(name_), table_);
  options_ = with_defaults(name_, table_, options);
  instance_ = open(folder);
  info_ = query();
}

DatasetHandle::Instance DatasetHandle::open(const std::string& folder) const {
  std::vector<MixopOptionValue> values;
  for (const auto& [key, value] : options_) values.push_back({key.c_str(), value.c_str()});
  const MixopDatasetSource source{sizeof source, static_cast<std::uint32_t>(values.size()), folder.c_str(),
                                  values.data()};
  MixopDatasetInstance* opened = nullptr;
  checked("data set '" + name_ + "'", [&](MixopError* error) { return table_.open(&source, &opened, error); });
  if (opened == nullptr) Contract(name_).broken("open succeeded without an instance");
  return {opened, table_.close};
}

DatasetInfo DatasetHandle::query() const {
  MixopDatasetInfo raw{};
  raw.size = sizeof raw;
  checked("data set '" + name_ + "'", [&](MixopError* error) { return table_.info(instance_.get(), &raw, error); });

  const Contract contract(name_);
  contract.within("the size of its info", raw.size, sizeof raw, sizeof raw);
  contract.within("kind", raw.kind, MIXOP_DATA_IMAGES, MIXOP_DATA_TEXT);
  DatasetInfo info;
  info.kind = raw.kind;
  for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split) {
    contract.within(std::string("records of split '") + split_name(split) + "'", raw.records[split], 0, kMaxRecords);
    info.records[split] = raw.records[split];
  }
  contract.within("classes", raw.classes, 1, kMaxClasses);
  contract.within("file_count", raw.file_count, 0, kMaxFiles);
  info.classes = raw.classes;
  info.class_names = contract.texts("class_names", raw.class_names, raw.classes);
  info.files = contract.texts("files", raw.files, raw.file_count);
  if (raw.kind == MIXOP_DATA_TEXT) return info;

  check_image_fields(contract, raw);
  info.channels = raw.channels;
  info.height = raw.height;
  info.width = raw.width;
  info.crop_padding = raw.crop_padding;
  info.horizontal_flip = raw.horizontal_flip == 1;
  std::copy_n(raw.mean, info.mean.size(), info.mean.begin());
  std::copy_n(raw.deviation, info.deviation.size(), info.deviation.begin());
  return info;
}

void DatasetHandle::read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
                         std::int64_t* targets) const {
  const std::string where = "data set '" + name_ + "', split '" + split_name(split) + "'";
  const std::int64_t records = info_.records[split];
  if (first < 0 || count < 0 || first > records || count > records - first)
    throw Error(ErrorCode::usage, where + ": it has " + std::to_string(records) + " records, asked for " +
                                      std::to_string(count) + " from " + std::to_string(first));
  checked(where,
          [&](MixopError* error) { return table_.read(instance_.get(), split, first, count, values, targets, error); });
  for (std::int64_t i = 0; i < count; ++i)
    if (targets[i] < 0 || targets[i] >= info_.classes)
      Contract(name_).broken("record " + std::to_string(first + i) + " of split '" + split_name(split) +
                             "' has target " + std::to_string(targets[i]) + ", expected 0 to " +
                             std::to_string(info_.classes - 1));
}

}  // namespace mixop
