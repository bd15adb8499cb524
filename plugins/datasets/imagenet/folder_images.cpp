#include "folder_images.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "file.hpp"

namespace mixop::imagenet {
namespace {

constexpr std::int32_t kLeast = 8, kMost = 4096;

/// A side in pixels; 0 where the text is none.
std::int32_t side_of(std::string_view text) {
  std::int32_t side = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), side);
  return problem == std::errc() && end == text.data() + text.size() && side >= kLeast && side <= kMost ? side : 0;
}

/// "48", a square, or "20x31": height and width.
void read_size(const std::string& text, Choices& choices) {
  const auto cross = text.find('x');
  choices.height = side_of(std::string_view(text).substr(0, cross));
  choices.width = cross == std::string::npos ? choices.height : side_of(std::string_view(text).substr(cross + 1));
  if (choices.height == 0 || choices.width == 0)
    throw Error(ErrorCode::usage, "option 'size' must be a side of " + std::to_string(kLeast) + " to " +
                                      std::to_string(kMost) + " pixels, or HEIGHTxWIDTH such as 20x31, found '" + text +
                                      "'");
}

/// The shorter side before the central crop; 0 keeps the published proportion of 256 to 224.
std::int32_t resize_of(const Options& options, std::int32_t shorter) {
  const std::int64_t value = options.integer("resize");
  if (value == 0) return shorter * 8 / 7;
  if (value < shorter || value > kMost)
    throw Error(ErrorCode::usage, "option 'resize' must be " + std::to_string(shorter) + " to " +
                                      std::to_string(kMost) + ", found " + std::to_string(value));
  return static_cast<std::int32_t>(value);
}

bool skips(const Options& options) {
  const std::string& choice = options.text("on_corrupt");
  if (choice != "fail" && choice != "skip")
    throw Error(ErrorCode::usage, "option 'on_corrupt' must be fail or skip, found '" + choice + "'");
  return choice == "skip";
}

}  // namespace

Choices choices_of(const Options& options, const char* name) {
  Choices choices{};
  choices.name = name;
  read_size(options.text("size"), choices);
  choices.resize = resize_of(options, std::min(choices.height, choices.width));
  choices.skip_corrupt = skips(options);
  return choices;
}

FolderImages::FolderImages(ClassFolders folders, const Choices& choices)
    : folders_(std::move(folders)), choices_(choices) {
  for (const std::string& name : folders_.classes) name_pointers_.push_back(name.c_str());
}

MixopDatasetInfo FolderImages::info() const {
  MixopDatasetInfo info{};
  info.size = sizeof info;
  info.kind = MIXOP_DATA_IMAGES;
  for (std::size_t split = 0; split < MIXOP_SPLIT_COUNT; ++split)
    info.records[split] = static_cast<std::int64_t>(folders_.records[split].size());
  info.classes = static_cast<std::int64_t>(folders_.classes.size());
  info.class_names = name_pointers_.data();
  info.channels = 3;
  info.height = choices_.height;
  info.width = choices_.width;
  info.horizontal_flip = choices_.flip ? 1 : 0;
  // The constants of the published training scripts (DARTS on ImageNet).
  constexpr float kMean[] = {0.485f, 0.456f, 0.406f}, kDeviation[] = {0.229f, 0.224f, 0.225f};
  constexpr double kJitter[] = {0.4, 0.4, 0.4, 0.2};
  std::copy_n(kMean, 3, info.mean);
  std::copy_n(kDeviation, 3, info.deviation);
  std::transform(kJitter, kJitter + 4, info.jitter, [&](double strength) { return choices_.jitter * strength; });
  info.images_vary = 1;
  info.skip_corrupt = choices_.skip_corrupt ? 1 : 0;
  info.resize = choices_.resize;
  info.crop_area[0] = choices_.least_area;
  info.crop_area[1] = 1;
  // Of what networks get: crops are stretched as much whatever its proportions are.
  const double proportion = static_cast<double>(choices_.width) / choices_.height;
  info.crop_ratio[0] = proportion * 3 / 4;
  info.crop_ratio[1] = proportion * 4 / 3;
  info.listing = folders_.listing.c_str();
  info.notes = folders_.notes.c_str();
  return info;
}

void FolderImages::read(int split, std::int64_t first, std::int64_t count, std::uint8_t*, std::int64_t* targets) const {
  for (std::int64_t i = first; i < first + count; ++i) *targets++ = record(split, i).target;
}

void FolderImages::decode(int split, std::int64_t index, const Sink& sink) const {
  const Image image = decode_or_advise(folders_.path_of(record(split, index)));
  sink(image.height, image.width, image.pixels.get());
}

Image FolderImages::decode_or_advise(const std::filesystem::path& path) const {
  try {
    return choices_.decode(path, read_whole(path));
  } catch (const Error& error) {
    if (choices_.skip_corrupt || error.code() != ErrorCode::bad_data) throw;
    throw Error(error.code(),
                error.what() + std::string("; replace the file, or set ") + choices_.name + ".on_corrupt=skip");
  }
}

const Record& FolderImages::record(int split, std::int64_t index) const {
  return folders_.records[static_cast<std::size_t>(split)][static_cast<std::size_t>(index)];
}

}  // namespace mixop::imagenet
