#include "host/plugins/scaffold.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <string_view>

#include "host/files/new_file.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 64;

bool is_word(const std::string& word) {
  return !word.empty() && word[0] >= 'a' && word[0] <= 'z' && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string> words_of(const std::string& name) {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorCode::usage, "plugins new: the name '" + excerpt(name, 200) + "' " + problem +
                                      "; expected your name and the plugin's in lower case, such as acme.ghost_conv");
  };
  if (name.size() > kLongestName) refuse("is longer than " + std::to_string(kLongestName) + " characters");
  const std::vector<std::string> words = split(name, '.');
  if (words.size() < 2) refuse("has no dot");
  if (joined(words, ".") != name || !std::all_of(words.begin(), words.end(), is_word))
    refuse("has other characters than a-z, 0-9 and '_', or a part that does not begin with a letter");
  if (words.back() == "test") refuse("ends in 'test', which is the file of the project's own tests");
  if (words[0] == "mixop") refuse("begins with 'mixop', which is kept for mixop's own plugins");
  return words;
}

// "ghost_conv" as "GhostConv".
std::string class_name(const std::string& word) {
  std::string name;
  bool upper = true;
  for (const char c : word) {
    if (c != '_') name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return name;
}

std::string filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string result(text);
  for (const auto& [key, value] : values) {
    const std::string mark = "@" + key + "@";
    for (auto place = result.find(mark); place != std::string::npos; place = result.find(mark, place + value.size()))
      result.replace(place, mark.size(), value);
  }
  return result;
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw Error(ErrorCode::failed, file.string() + ": cannot be read");
  return text;
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw Error(ErrorCode::failed, file.string() + ": cannot be written");
}

}  // namespace

std::vector<std::string> template_kinds(const fs::path& templates) {
  std::vector<std::string> kinds;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(templates, problem))
    if (entry.is_directory()) kinds.push_back(entry.path().filename().string());
  if (kinds.empty())
    throw Error(ErrorCode::failed, "plugins new: " + templates.string() +
                                       " holds no templates, which are installed with mixop; install it again");
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

void write_plugin_project(const fs::path& templates, const std::string& kind, const std::string& name,
                          const fs::path& folder) {
  const std::vector<std::string> kinds = template_kinds(templates);
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    throw Error(ErrorCode::usage, "plugins new: expected a kind, one of " + joined(kinds) + ", found '" + excerpt(kind) + "'" +
                                      did_you_mean(kind, kinds));
  const std::vector<std::string> words = words_of(name);
  if (fs::symlink_status(folder).type() != fs::file_type::not_found)
    throw Error(ErrorCode::usage, "plugins new: " + folder.string() + " exists; name another folder with --out");
  std::string target = name;
  std::replace(target.begin(), target.end(), '.', '_');
  const std::map<std::string, std::string> values = {
      {"name", name}, {"target", target}, {"file", words.back()}, {"class", class_name(words.back())}};

  if (folder.empty()) throw Error(ErrorCode::usage, "plugins new: an empty name is no folder; name one with --out");
  const fs::path partial = temporary_name(folder);
  try {
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path());
    if (!fs::create_directory(partial)) throw Error(ErrorCode::failed, partial.string() + " is there already");
    for (const auto& entry : fs::directory_iterator(templates / kind))
      write(partial / filled(entry.path().filename().string(), values), filled(content_of(entry.path()), values));
    fs::rename(partial, folder);
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw Error(ErrorCode::failed, "plugins new: " + folder.string() + " cannot be written: " + error.what());
  }
}

}  // namespace mixop
