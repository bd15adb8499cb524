#include "host/fetch/published.hpp"

#include <algorithm>

#include "host/fetch/unpack.hpp"
#include "host/files/named_files.hpp"
#include "host/json/fields.hpp"
#include "host/json/json.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;
using Kind = JsonValue::Kind;

std::uint64_t bytes_of(const Fields& fields, const char* key) {
  return static_cast<std::uint64_t>(fields.integer(key, 1, static_cast<std::int64_t>(kMostBytes), " of bytes"));
}

/// A name of one level, which leads nowhere else.
std::string plain_file_name(const Fields& fields, const char* key) {
  const std::string name = fields.text(key);
  if (name.find_first_of("/\\") != std::string::npos || name[0] == '.' || printable(name) != name || name.size() > 200)
    fields.refuse(fields.at(key), std::string(key) + ": expected a plain file name, found '" + excerpt(name) + "'");
  return name;
}

PublishedFile read_file(const JsonValue& value, const std::string& place) {
  const Fields fields(value, place, {"name", "addresses", "sha256", "bytes", "unpack", "unpacked_bytes"});
  PublishedFile file;
  file.name = plain_file_name(fields, "name");
  if (file.name == kUnpacked)
    fields.refuse(fields.at("name"), "name: '" + file.name + "' is kept for what is unpacked");
  for (const JsonValue& address : fields.list("addresses")) {
    if (!address.is(Kind::text) || !is_web_address(address.text))
      fields.refuse(address, "addresses: expected https://... or http://..., found " + address.describe());
    file.addresses.push_back(address.text);
  }
  file.sha256 = fields.text("sha256");
  if (file.sha256.size() != 64 || file.sha256.find_first_not_of("0123456789abcdef") != std::string::npos)
    fields.refuse(fields.at("sha256"),
                  "sha256: expected 64 lower-case hex digits, found '" + excerpt(file.sha256) + "'");
  file.bytes = fields.has("bytes") ? bytes_of(fields, "bytes") : 0;
  file.unpack = fields.optional_text("unpack");
  if (!file.unpack.empty())
    (void)levels_in_archive(file.unpack,
                            json_place(place, fields.at("unpack")) + ": unpack: '" + excerpt(file.unpack) + "' ",
                            ErrorCode::usage);
  if (!file.unpack.empty()) file.unpacked_bytes = bytes_of(fields, "unpacked_bytes");
  return file;
}

}  // namespace

bool is_web_address(const std::string& address) {
  return (address.rfind("https://", 0) == 0 && address.size() > 8) ||
         (address.rfind("http://", 0) == 0 && address.size() > 7);
}

PublishedData read_published(const fs::path& file) {
  const std::string place = file.string();
  const JsonValue root = parse_json_file(file, ErrorCode::usage);
  const Fields fields(root, place, {"summary", "page", "folder", "files"});
  PublishedData data;
  data.name = file.stem().string();
  data.summary = fields.text("summary");
  data.page = fields.text("page");
  data.folder = plain_file_name(fields, "folder");
  for (const JsonValue& each : fields.list("files")) {
    data.files.push_back(read_file(each, place));
    const auto same = [&](const PublishedFile& other) { return other.name == data.files.back().name; };
    if (std::count_if(data.files.begin(), data.files.end(), same) > 1)
      fields.refuse(each, "name: two files are named '" + data.files.back().name + "'");
  }
  return data;
}

std::optional<PublishedData> find_published(const std::string& name, const std::vector<fs::path>& folders,
                                            std::vector<std::string>& known) {
  const auto files = named_files(folders, "the folder of downloads");
  for (const auto& [own, file] : files) known.push_back(own);
  if (const auto found = files.find(name); found != files.end()) return read_published(found->second);
  for (const auto& [own, file] : files) {
    try {
      if (PublishedData data = read_published(file); data.folder == name) return data;
    } catch (const Error&) {  // which is said where that data set is asked for
    }
  }
  return std::nullopt;
}

}  // namespace mixop
