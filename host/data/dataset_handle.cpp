#include "host/data/dataset_handle.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <utility>

#include "host/config/schema.hpp"
#include "host/process/running_part.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kMaxRecords = std::int64_t{1} << 40;
constexpr std::int64_t kMaxClasses = std::int64_t{1} << 24;
constexpr std::int64_t kMaxSide = 16384;
constexpr std::int64_t kMaxFiles = std::int64_t{1} << 20;
// Of a decoded image: kMaxSide * kMaxDecodedSide, a side after resizing, is an int32.
constexpr std::int32_t kMaxDecodedSide = 65536;
constexpr double kMaxRatio = 1000;

// What every data set has; later fields count where `size` covers them.
constexpr std::size_t kTableSize = offsetof(MixopDataset, decode);
constexpr std::size_t kInfoSize = offsetof(MixopDatasetInfo, images_vary);
// What one of images of many sizes has.
constexpr std::size_t kWholeTableSize = offsetof(MixopDataset, decode) + sizeof MixopDataset::decode;
constexpr std::size_t kWholeInfoSize = offsetof(MixopDatasetInfo, listing) + sizeof MixopDatasetInfo::listing;
constexpr std::size_t kNotedInfoSize = offsetof(MixopDatasetInfo, notes) + sizeof MixopDatasetInfo::notes;
constexpr std::size_t kMostNotes = 100;

/// Judges what one data set returns; every complaint names it.
class Contract {
 public:
  explicit Contract(const std::string& called) : called_(called) {}

  [[noreturn]] void broken(const std::string& how) const {
    throw Error(ErrorCode::plugin,
                called_ + " breaks its contract: " + how + "; its plugin must be fixed");
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
  const std::string& called_;
};

void check_table(const Contract& contract, const MixopDataset& table) {
  if (table.size < kTableSize)
    contract.broken("its table has " + std::to_string(table.size) + " bytes, expected at least " +
                    std::to_string(kTableSize));
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
  for (std::uint32_t i = 0; i < table.option_count; ++i) {
    const KeySpec spec = option_key(name, table.options[i]);
    (void)value_from_text(spec, all.at(table.options[i].name), "data set '" + name + "'");
  }
  return all;
}

bool has_decode(const MixopDataset& table) { return table.size >= kWholeTableSize && table.decode != nullptr; }

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

ManySizes many_sizes_of(const Contract& contract, const MixopDatasetInfo& raw) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds) contract.broken(std::string(what) + " where images have many sizes");
  };
  require(raw.channels == 3, "channels must be 3");
  require(raw.crop_padding == 0, "crop_padding must be 0");
  contract.within("skip_corrupt", raw.skip_corrupt, 0, 1);
  contract.within("resize", raw.resize, std::min(raw.height, raw.width), kMaxSide);
  require(raw.crop_area[0] > 0 && raw.crop_area[0] <= raw.crop_area[1] && raw.crop_area[1] <= 1,
          "crop_area must be two shares of the image, the lower one first,");
  require(
      raw.crop_ratio[0] >= 1 / kMaxRatio && raw.crop_ratio[0] <= raw.crop_ratio[1] && raw.crop_ratio[1] <= kMaxRatio,
      "crop_ratio must be two ratios from 1/1000 to 1000, the lower one first,");
  for (const double strength : raw.jitter)
    require(strength >= 0 && std::isfinite(strength), "jitter must be 0 or more");
  require(raw.jitter[3] <= 0.5, "the jitter of the hue must be at most 0.5");
  return {raw.resize,
          {{raw.crop_area[0], raw.crop_area[1]}, {raw.crop_ratio[0], raw.crop_ratio[1]}},
          {raw.jitter[0], raw.jitter[1], raw.jitter[2], raw.jitter[3]},
          raw.skip_corrupt == 1};
}

/// The first lines of a text, as many as are shown.
std::vector<std::string> lines_of(const char* text) {
  std::vector<std::string> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() > kMostNotes) lines.resize(kMostNotes);
  return lines;
}

/// What a sink's caller in C holds: the C++ sink, how often it was called, the last image, and what the sink threw.
struct SinkCall {
  const ImageSink& sink;
  int calls = 0;
  std::int32_t height = 0, width = 0;
  bool sound = true;
  std::exception_ptr thrown = nullptr;
};

void take_image(void* context, std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
  SinkCall& call = *static_cast<SinkCall*>(context);
  ++call.calls;
  call.height = height;
  call.width = width;
  const auto is_side = [](std::int32_t side) { return side >= 1 && side <= kMaxDecodedSide; };
  call.sound = is_side(height) && is_side(width) && pixels != nullptr;
  if (!call.sound || call.calls > 1) return;
  try {
    call.sink(height, width, pixels);
  } catch (...) {
    call.thrown = std::current_exception();
  }
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
                             const std::map<std::string, std::string>& options, const std::string& called)
    : name_(std::move(name)),
      called_(called.empty() ? "data set '" + name_ + "'" : called),
      table_(table),
      instance_(nullptr, nullptr) {
  check_table(Contract(called_), table_);
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
  const RunningPart running(called_, "open");
  checked(called_, [&](MixopError* error) { return table_.open(&source, &opened, error); });
  if (opened == nullptr) Contract(called_).broken("open succeeded without an instance");
  return {opened, table_.close};
}

DatasetInfo DatasetHandle::query() {
  MixopDatasetInfo raw{};
  raw.size = sizeof raw;
  const RunningPart running(called_, "info");
  checked(called_, [&](MixopError* error) { return table_.info(instance_.get(), &raw, error); });

  const Contract contract(called_);
  contract.within("the size of its info", raw.size, kInfoSize, sizeof raw);
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
  const bool has_fields_11 = raw.size >= kWholeInfoSize;
  if (has_fields_11 && raw.listing != nullptr) listing_ = raw.listing;
  if (raw.size >= kNotedInfoSize && raw.notes != nullptr) info.notes = lines_of(raw.notes);
  if (raw.kind == MIXOP_DATA_TEXT) return info;

  check_image_fields(contract, raw);
  info.channels = raw.channels;
  info.height = raw.height;
  info.width = raw.width;
  info.crop_padding = raw.crop_padding;
  info.horizontal_flip = raw.horizontal_flip == 1;
  std::copy_n(raw.mean, info.mean.size(), info.mean.begin());
  std::copy_n(raw.deviation, info.deviation.size(), info.deviation.begin());
  if (!has_fields_11) return info;
  contract.within("images_vary", raw.images_vary, 0, 1);
  if (raw.images_vary == 0) return info;
  if (!has_decode(table_)) contract.broken("its images have many sizes and its table lacks decode");
  info.many_sizes = many_sizes_of(contract, raw);
  return info;
}

std::string DatasetHandle::place(int split) const {
  return called_ + ", split '" + split_name(split) + "'";
}

void DatasetHandle::require_records(int split, std::int64_t first, std::int64_t count) const {
  const std::string where = place(split);
  const std::int64_t records = info_.records[static_cast<std::size_t>(split)];
  if (first < 0 || count < 0 || first > records || count > records - first)
    throw Error(ErrorCode::usage, where + ": it has " + std::to_string(records) + " records, asked for " +
                                      std::to_string(count) + " from " + std::to_string(first));
}

void DatasetHandle::read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
                         std::int64_t* targets) const {
  require_records(split, first, count);
  std::uint8_t* const taken = info_.many_sizes ? nullptr : values;
  const std::string called = place(split);
  const RunningPart running(called_, "read");
  checked(called,
          [&](MixopError* error) { return table_.read(instance_.get(), split, first, count, taken, targets, error); });
  for (std::int64_t i = 0; i < count; ++i)
    if (targets[i] < 0 || targets[i] >= info_.classes)
      throw Error(ErrorCode::bad_data, place(split) + ": record " + std::to_string(first + i) + " has label " +
                                           std::to_string(targets[i]) + ", expected 0 to " +
                                           std::to_string(info_.classes - 1) +
                                           "; its file is damaged, or is of another data set");
}

void DatasetHandle::decode(int split, std::int64_t record, const ImageSink& sink) const {
  require_records(split, record, 1);
  if (!info_.many_sizes)
    throw Error(ErrorCode::usage, place(split) + ": its images have one size; they are read, not decoded");
  SinkCall call{sink};
  const std::string called = place(split);
  const RunningPart running(called_, "decode");
  checked(called,
          [&](MixopError* error) { return table_.decode(instance_.get(), split, record, take_image, &call, error); });
  const std::string which = "; record " + std::to_string(record) + " of split '" + split_name(split) + "' ";
  if (call.calls != 1)
    Contract(called_).broken("decode must give one image" + which + "came " + std::to_string(call.calls) + " times");
  if (!call.sound)
    Contract(called_).broken("decode must give pixels, 1 to " + std::to_string(kMaxDecodedSide) + " a side" + which +
                           "has " + std::to_string(call.height) + " x " + std::to_string(call.width));
  if (call.thrown) std::rethrow_exception(call.thrown);
}

}  // namespace mixop
