#include "host/text/plain_text.hpp"

#include <fstream>
#include <optional>

#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/text/whole_file.hpp"

namespace mixop {
namespace {

constexpr std::size_t kMostBytes = std::size_t{32} << 20;

using namespace std::string_view_literals;

/// At most `most` bytes of what is no regular file: a pipe, a terminal.
std::optional<std::string> stream_text(const std::filesystem::path& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most, '\0');
  if (!in) return std::nullopt;
  in.read(text.data(), static_cast<std::streamsize>(most));
  if (in.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// "key: value" or "- item".
bool is_yaml_line(std::string_view line) {
  if (line.substr(0, 2) == "- ") return true;
  const auto colon = line.find(':');
  return colon != std::string_view::npos && is_plain_name(line.substr(0, colon)) &&
         (colon + 1 == line.size() || line[colon + 1] == ' ');
}

}  // namespace

std::string read_plain_text(const std::filesystem::path& path, ErrorCode code) {
  std::error_code problem;
  const auto refuse = [&](const std::string& what) { return Error(code, printable(path.string()) + ": " + what); };
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) throw refuse("no such file");
  if (std::filesystem::is_directory(status)) throw refuse("a folder, not a file");
  std::optional<std::string> text;
  if (!std::filesystem::is_regular_file(status)) {
    text = stream_text(path, kMostBytes + 1);
  } else if (const auto size = std::filesystem::file_size(path, problem); !problem && size > kMostBytes) {
    throw refuse(std::to_string(size) + " bytes; a text may have " + std::to_string(kMostBytes) + " at most");
  } else {
    text = whole_file(path);
  }
  if (!text) throw refuse("cannot be read");
  if (text->size() > kMostBytes) throw refuse("more than " + std::to_string(kMostBytes) + " bytes, the most of a text");
  if (text->rfind("\xff\xfe", 0) == 0 || text->rfind("\xfe\xff", 0) == 0) throw refuse("UTF-16 text; save it as UTF-8");
  if (text->rfind("\xef\xbb\xbf", 0) == 0) text->erase(0, 3);
  return std::move(*text);
}

bool is_pipe(const std::string& path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  return path.find('/') != std::string::npos && std::filesystem::exists(status) &&
         !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status);
}

std::string foreign_format(std::string_view text) {
  const auto starts = [&](std::string_view with) { return text.substr(0, with.size()) == with; };
  if (starts("PK\x03\x04")) return "a ZIP archive, such as PyTorch's .pt files are";
  if (starts("\x1f\x8b")) return "a gzip archive";
  if (starts("\x89HDF\r\n\x1a\n")) return "an HDF5 file that mixop did not write";
  if (starts("\x80\x02"sv) || starts("\x80\x04"sv)) return "a pickle";
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::string_view words = trimmed(line);
    if (words == "---" || is_yaml_line(words)) return "YAML";
    if (!words.empty() && words.front() != '#') return "";
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return "";
}

}  // namespace mixop
