#include "layout.hpp"

#include <algorithm>
#include <vector>

#include "file.hpp"

namespace mixop::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSplits[MIXOP_SPLIT_COUNT] = {"train", "valid", "test"};

SplitFiles files_in(const fs::path& folder, const FileNames& names) {
  SplitFiles files;
  for (std::size_t split = 0; split < files.size(); ++split)
    files[split] = folder / (std::string(names.prefix) + kSplits[split] + names.suffix);
  return files;
}

bool exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// "ptb.train.txt, ptb.valid.txt and ptb.test.txt".
std::string file_names(const FileNames& names) {
  const SplitFiles files = files_in("", names);
  return files[0].string() + ", " + files[1].string() + " and " + files[2].string();
}

/// "ptb/ or the folder itself with train.txt, valid.txt and test.txt, or with ...".
std::string expected(const Published& set) {
  std::string text;
  for (const FileNames& names : set.names) text += (text.empty() ? "with " : ", or with ") + file_names(names);
  std::string places;
  for (const char* folder : set.folders) places += std::string(folder) + "/ or ";
  return (places.empty() ? "a folder " : places + "the folder itself ") + text;
}

}  // namespace

SplitFiles find_layout(const std::string& folder, const Published& set) {
  if (folder.empty())
    throw Error(ErrorCode::usage,
                "no data folder is given; pass --data DIR or set MIXOP_DATA; expected " + expected(set));
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    refuse(folder, "the data folder does not exist or cannot be read; expected " + expected(set));
  std::vector<fs::path> places;
  for (const char* below : set.folders) places.push_back(fs::path(folder) / below);
  places.emplace_back(folder);

  // All must be there: the words of every split make the vocabulary, so a set without one is another set.
  std::vector<std::pair<SplitFiles, FileNames>> incomplete;
  for (const fs::path& place : places)
    for (const FileNames& names : set.names) {
      const SplitFiles files = files_in(place, names);
      if (std::all_of(files.begin(), files.end(), exists)) return files;
      if (std::any_of(files.begin(), files.end(), exists)) incomplete.emplace_back(files, names);
    }
  if (incomplete.empty())
    refuse(folder, std::string("no ") + set.title + " in this folder; expected " + expected(set) +
                       "; unpack the set here or name another folder");
  const auto& [files, names] = incomplete.front();
  refuse(*std::find_if_not(files.begin(), files.end(), exists),
         "the file is missing; expected " + file_names(names) +
             " beside each other; unpack the set again, or for a trial copy another split");
}

}  // namespace mixop::corpus
