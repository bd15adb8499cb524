#include "layout.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "file.hpp"
#include "pickle.hpp"

namespace mixop::cifar {
namespace {

namespace fs = std::filesystem;

struct Candidate {
  const char* folder;
  bool pickled;
  const char* extension;
  const char* names;
};

constexpr Candidate kCifar10[] = {{"cifar-10-batches-bin", false, ".bin", "batches.meta.txt"},
                                  {"cifar-10-batches-py", true, "", "batches.meta"}};
constexpr Candidate kCifar100[] = {{"cifar-100-binary", false, ".bin", "fine_label_names.txt"},
                                   {"cifar-100-python", true, "", "meta"}};
constexpr std::size_t kMaxName = 60;

std::vector<std::string> train_batches(Variant variant) {
  if (variant == Variant::cifar100) return {"train"};
  return {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"};
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

Layout layout_in(const fs::path& folder, const Candidate& candidate, Variant variant) {
  Layout layout{variant, candidate.pickled, {}, {}, {}};
  for (const std::string& name : train_batches(variant)) layout.train.push_back(folder / (name + candidate.extension));
  const char* test = variant == Variant::cifar10 ? "test_batch" : "test";
  layout.test.push_back(folder / (std::string(test) + candidate.extension));
  if (is_file(folder / candidate.names)) layout.names = folder / candidate.names;
  return layout;
}

bool is_layout(const fs::path& folder, const Candidate& candidate, Variant variant) {
  const Layout layout = layout_in(folder, candidate, variant);
  const auto any = [](const std::vector<fs::path>& files) { return std::any_of(files.begin(), files.end(), is_file); };
  return any(layout.train) || any(layout.test);
}

std::vector<std::string> lines_of(const fs::path& path) {
  const std::vector<std::uint8_t> bytes = read_whole(path);
  std::vector<std::string> lines(1);
  for (const std::uint8_t byte : bytes) {
    if (byte == '\n')
      lines.emplace_back();
    else if (byte != '\r')
      lines.back() += static_cast<char>(byte);
  }
  // The published files end with empty lines.
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> pickled_names(const fs::path& path, Variant variant) {
  const std::vector<std::uint8_t> bytes = read_whole(path);
  std::vector<std::string> names;
  for (const std::string_view name :
       Pickle(path, bytes).texts(variant == Variant::cifar10 ? "label_names" : "fine_label_names"))
    names.emplace_back(name);
  return names;
}

}  // namespace

Layout find_layout(const std::string& folder, Variant variant) {
  const auto& candidates = variant == Variant::cifar10 ? kCifar10 : kCifar100;
  if (folder.empty())
    throw Error(ErrorCode::usage,
                "no data folder is given; pass --data DIR or set MIXOP_DATA to the folder that holds " +
                    std::string(candidates[0].folder) + " or " + candidates[1].folder);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    refuse(folder, "the data folder does not exist or cannot be read; expected a folder that holds " +
                       std::string(candidates[0].folder) + " or " + candidates[1].folder);
  for (const Candidate& candidate : candidates) {
    if (is_layout(fs::path(folder) / candidate.folder, candidate, variant))
      return layout_in(fs::path(folder) / candidate.folder, candidate, variant);
    if (is_layout(folder, candidate, variant)) return layout_in(folder, candidate, variant);
  }
  std::string expected;
  for (const Candidate& candidate : candidates)
    expected += (expected.empty() ? "" : " or ") + (std::string(candidate.folder) + "/" + train_batches(variant)[0]) +
                candidate.extension;
  refuse(folder, "no CIFAR-" + std::to_string(class_count(variant)) + " in this folder; expected " + expected +
                     "; unpack the published archive here or name another folder");
}

Records read_batches(const Layout& layout, const std::vector<std::filesystem::path>& batches) {
  Records records;
  for (const fs::path& batch : batches) {
    if (layout.pickled)
      append_pickled(batch, layout.variant, records);
    else
      append_binary(batch, layout.variant, records);
  }
  return records;
}

std::vector<std::string> class_names(const Layout& layout) {
  const auto classes = static_cast<std::size_t>(class_count(layout.variant));
  std::vector<std::string> names;
  if (layout.names.empty()) {
    for (std::size_t i = 0; i < classes; ++i) names.push_back(std::to_string(i));
    return names;
  }
  names = layout.pickled ? pickled_names(layout.names, layout.variant) : lines_of(layout.names);
  if (names.size() != classes)
    refuse(layout.names, "expected " + std::to_string(classes) + " class names, found " + std::to_string(names.size()));
  for (std::size_t i = 0; i < classes; ++i)
    if (names[i].empty() || names[i].size() > kMaxName || printable(names[i]) != names[i])
      refuse(layout.names, "class name " + std::to_string(i) + " must be 1 to " + std::to_string(kMaxName) +
                               " printable ASCII characters, found '" + printable(names[i]) + "'");
  return names;
}

}  // namespace mixop::cifar
