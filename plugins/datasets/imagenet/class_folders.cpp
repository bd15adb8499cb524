#include "class_folders.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "file.hpp"
#include "image.hpp"
#include "mixop/utf8.hpp"
#include "pnm_file.hpp"

namespace mixop::imagenet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxName = 200;
constexpr std::size_t kShown = 5;
constexpr int kDeepest = 16;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// Whether a file's name ends in one of these, in any case.
bool ends_in(const fs::path& name, const std::vector<std::string>& extensions) {
  std::string extension = name.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

/// Calls `visit` for the entries of a folder but hidden ones, in any order.
template <class Visit>
void for_each_entry(const fs::path& folder, Visit&& visit) {
  std::error_code failure;
  for (fs::directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure))
    if (at->path().filename().string()[0] != '.') visit(*at);
  if (failure) refuse(folder, "the folder cannot be read: " + failure.message());
}

/// The folder of that name in `above`, or one whose name differs in its case alone; empty where there is none.
std::string folder_named(const fs::path& above, const std::string& name) {
  if (is_folder(above / name)) return name;
  std::string found;
  std::error_code failure;
  for (fs::directory_iterator at(above, failure), end; !failure && at != end; at.increment(failure)) {
    std::string lower = at->path().filename().string();
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower == name && is_folder(at->path())) found = at->path().filename().string();
  }
  return found;
}

/// The first few of some names, and how many there are.
std::string shown(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kShown ? text + ", ... (" + std::to_string(names.size()) + " in all)" : text;
}

/// What is not read, to be told.
class LeftOut {
 public:
  void count_file(const fs::path& name) { ++endings_[name.extension().string()]; }
  void count_link() { ++links_; }
  void count_stray() { ++strays_; }
  void ignore_folder(const fs::path& folder, const SplitFolder& taken) {
    lines_ += shown_text(folder.string()) + " is not read, for the " +
              (taken.split == MIXOP_SPLIT_TRAIN ? "train split is '" + taken.name + "'\n"
                                                : "test split is '" + taken.name +
                                                      "': image_folder.test names another, and data.train_portion holds "
                                                      "train records out\n");
  }
  void suspect_splits(const std::vector<std::string>& shared) {
    lines_ += "its class folders hold no images of their own, but folders of the same names (" + shown(shared) +
              "): if these are the classes, name the folders above them train and test\n";
  }

  std::string text() const {
    std::string text = lines_, endings;
    std::int64_t files = 0;
    for (const auto& [ending, count] : endings_) {
      files += count;
      endings += (endings.empty() ? "" : ", ") + std::to_string(count) + " " +
                 (ending.empty() ? "without an ending" : shown_text(ending));
    }
    if (files > 0) text += "left out: " + std::to_string(files) + " files that are no images (" + endings + ")\n";
    if (strays_ > 0) text += "left out: " + std::to_string(strays_) + " images that lie in no class folder\n";
    if (links_ > 0) text += "left out: " + std::to_string(links_) + " links to folders within class folders\n";
    return text;
  }

 private:
  static std::string shown_text(const std::string& text) { return is_printable(text) ? text : "(not printable)"; }

  std::map<std::string, std::int64_t> endings_;
  std::int64_t links_ = 0, strays_ = 0;
  std::string lines_;
};

std::vector<std::string> class_folders(const Layout& layout, const fs::path& above, LeftOut& left_out) {
  std::vector<std::string> names;
  bool images = false;
  for_each_entry(above, [&](const fs::directory_entry& entry) {
    if (is_folder(entry.path())) {
      names.push_back(entry.path().filename().string());
    } else if (ends_in(entry.path(), layout.extensions)) {
      images = true;
      left_out.count_stray();
    }
  });
  if (names.empty())
    refuse(above, images ? "its images lie in no class folders; move each into a folder named after its class"
                         : "the folder holds no class folders; expected " + layout.example);
  std::sort(names.begin(), names.end());
  return names;
}

void require_class_names(const fs::path& from, const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kMaxName || !is_printable(name) || name.find('/') != std::string::npos)
      refuse(from, "class " + std::to_string(seen.size()) +
                       " in their order has a name that cannot be shown; expected 1 to " + std::to_string(kMaxName) +
                       " bytes of UTF-8 without control characters and '/', so rename it");
    if (!seen.insert(name).second) refuse(from, "class '" + name + "' is listed twice; remove one");
  }
  if (names.empty()) refuse(from, "the file names no classes; expected one a line");
}

/// Refuses a split whose folders are not the classes.
void require_same_classes(const Layout& layout, const fs::path& split, const std::vector<std::string>& folders,
                          const std::vector<std::string>& classes, const fs::path& from) {
  const std::set<std::string> found(folders.begin(), folders.end()), known(classes.begin(), classes.end());
  std::vector<std::string> missing, extra;
  std::set_difference(known.begin(), known.end(), found.begin(), found.end(), std::back_inserter(missing));
  std::set_difference(found.begin(), found.end(), known.begin(), known.end(), std::back_inserter(extra));
  if (!missing.empty())
    refuse(split, "classes of " + from.string() + " have no folder here: " + shown(missing) + "; " + layout.incomplete);
  if (!extra.empty())
    refuse(split, "folders are no classes of " + from.string() + ": " + shown(extra) + "; remove them");
}

struct File {
  std::string name;
  std::uintmax_t bytes;
};

/// By its ending; without one by its first bytes. A pipe is none: whoever opens it waits.
bool is_image(const Layout& layout, const fs::path& file) {
  std::error_code failure;
  if (!fs::is_regular_file(file, failure)) return false;
  if (file.has_extension()) return ends_in(file, layout.extensions);
  std::vector<std::uint8_t> first(8);
  std::ifstream in(file, std::ios::binary);
  in.read(reinterpret_cast<char*>(first.data()), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(in.gcount()));
  const bool jpeg = first.size() > 1 && first[0] == 0xff && first[1] == 0xd8;
  return jpeg || (layout.takes_png && (is_png(first) || is_pnm(first)));
}

/// Adds the images of a folder and of those in it, which lie `below` the class folder.
void add_images(const Layout& layout, const fs::path& folder, const std::string& below, int depth,
                std::vector<File>& files, LeftOut& left_out) {
  if (depth > kDeepest) refuse(folder, "folders lie within each other more than " + std::to_string(kDeepest) + " deep");
  for_each_entry(folder, [&](const fs::directory_entry& entry) {
    const std::string name = below + entry.path().filename().string();
    std::error_code failure;
    if (is_folder(entry.path())) {
      if (entry.is_symlink(failure)) return left_out.count_link();
      return add_images(layout, entry.path(), name + "/", depth + 1, files, left_out);
    }
    if (ends_in(entry.path(), layout.refused))
      refuse(entry.path(), "images of this format are not read; convert it to JPEG or PNG, or move it away");
    if (!is_image(layout, entry.path())) return left_out.count_file(entry.path().filename());
    const std::uintmax_t bytes = entry.file_size(failure);
    if (failure) refuse(entry.path(), "the file cannot be read: " + failure.message());
    files.push_back({name, bytes});
  });
}

std::vector<File> images_in(const Layout& layout, const fs::path& folder, LeftOut& left_out) {
  std::vector<File> files;
  add_images(layout, folder, "", 0, files, left_out);
  if (files.empty()) refuse(folder, "the class folder holds no image; expected " + layout.images_text);
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.name < b.name; });
  return files;
}

/// Image i of the n of its class comes at (2 i + 1) / (2 n) of the split; classes take turns where these are equal.
void spread(std::vector<Record>& records, const std::vector<std::size_t>& per_class) {
  struct Place {
    std::size_t at, of;
    Record record;
  };
  std::vector<Place> places;
  std::size_t index = 0, target = 0;
  for (const Record& record : records) {
    if (record.target != target) index = 0, target = record.target;
    places.push_back({2 * index++ + 1, per_class[target], record});
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.at * b.of < b.at * a.of; });
  for (std::size_t i = 0; i < records.size(); ++i) records[i] = places[i].record;
}

/// Tells where what is taken for classes looks like splits: two folders of the same names in all, and no image beside.
void look_for_splits(const std::vector<Record>& records, const ClassFolders& found, LeftOut& left_out) {
  std::map<std::string, std::set<std::uint32_t>> classes_of;  // of each folder within a class folder
  for (const Record& record : records) {
    const fs::path below = fs::path(found.listing.substr(record.name, record.name_size)).lexically_relative(
        found.classes[record.target]);
    if (std::distance(below.begin(), below.end()) < 2) return;
    classes_of[below.begin()->string()].insert(record.target);
  }
  std::vector<std::string> shared;
  for (const auto& [name, classes] : classes_of)
    if (classes.size() == found.classes.size() && classes.size() > 1 && is_printable(name)) shared.push_back(name);
  if (shared.size() > 1) left_out.suspect_splits(shared);
}

/// Adds the images of class folders that lie in the folder `above` of the root ("" is the root itself).
void add_split(const Layout& layout, ClassFolders& found, const std::string& above, std::vector<Record>& records,
               LeftOut& left_out) {
  std::vector<std::size_t> per_class;
  for (std::size_t target = 0; target < found.classes.size(); ++target) {
    const std::string below = (above.empty() ? "" : above + "/") + found.classes[target] + "/";
    const std::vector<File> files = images_in(layout, found.root / below, left_out);
    for (const File& file : files) {
      found.listing += std::to_string(file.bytes) + "  ";
      records.push_back({found.listing.size(), static_cast<std::uint32_t>(below.size() + file.name.size()),
                         static_cast<std::uint32_t>(target)});
      found.listing += below + file.name + "\n";
    }
    per_class.push_back(files.size());
  }
  spread(records, per_class);
}

fs::path find_root(const Layout& layout, const std::string& folder) {
  if (folder.empty())
    throw Error(ErrorCode::usage,
                "no data folder is given; pass --data DIR or set MIXOP_DATA to the folder " + layout.no_folder);
  if (!is_folder(folder))
    refuse(folder,
           "the data folder does not exist or cannot be read; expected a folder that holds " + layout.splits_text);
  if (!layout.required.empty() && !is_folder(fs::path(folder) / layout.required))
    refuse(folder, "it holds no folder '" + layout.required + "', which is named as that of the test split");
  for (const std::string& below : layout.below) {
    const fs::path root = below.empty() ? fs::path(folder) : fs::path(folder) / below;
    for (const SplitFolder& split : layout.splits)
      if (!folder_named(root, split.name).empty()) return root;
  }
  if (!layout.bare) refuse(folder, layout.absent);
  return folder;
}

/// The split folders that are there, of two for one split the first; or the root itself, for class folders without.
std::vector<SplitFolder> present_splits(const Layout& layout, const fs::path& root, LeftOut& left_out) {
  std::vector<SplitFolder> present;
  for (const SplitFolder& known : layout.splits) {
    const SplitFolder split{folder_named(root, known.name), known.split};
    if (split.name.empty()) continue;
    const auto taken = std::find_if(present.begin(), present.end(),
                                    [&](const SplitFolder& other) { return other.split == split.split; });
    if (taken == present.end())
      present.push_back(split);
    else
      left_out.ignore_folder(root / split.name, *taken);
  }
  if (present.empty()) present.push_back({"", MIXOP_SPLIT_TRAIN});
  return present;
}

}  // namespace

fs::path ClassFolders::path_of(const Record& record) const {
  return root / listing.substr(record.name, record.name_size);
}

ClassFolders find_class_folders(const Layout& layout, const std::string& folder, const std::string& classes_file) {
  ClassFolders found;
  found.root = find_root(layout, folder);
  fs::path from = classes_file.empty() ? fs::path() : found.root / classes_file;
  if (!from.empty()) {
    std::error_code unknown;
    if (!fs::is_regular_file(from, unknown)) refuse(from, "there is no such file, which is named as that of the classes");
    found.classes = lines_of(from);
    require_class_names(from, found.classes);
  }
  LeftOut left_out;
  const std::vector<SplitFolder> present = present_splits(layout, found.root, left_out);
  for (const SplitFolder& split : present) {
    const fs::path path = split.name.empty() ? found.root : found.root / split.name;
    const std::vector<std::string> folders = class_folders(layout, path, left_out);
    if (from.empty()) {
      from = path;
      found.classes = folders;
      require_class_names(from, found.classes);
    }
    require_same_classes(layout, path, folders, found.classes, from);
  }
  for (const std::string& name : found.classes) found.listing += name + "\n";
  for (const auto& [name, split] : present)
    add_split(layout, found, name, found.records[static_cast<std::size_t>(split)], left_out);
  if (present.front().name.empty()) look_for_splits(found.records[MIXOP_SPLIT_TRAIN], found, left_out);
  found.notes = left_out.text();
  return found;
}

}  // namespace mixop::imagenet
