#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mixop {

/// A file that is published for download.
struct PublishedFile {
  std::string name;                    ///< under which it lies while it is on its way
  std::vector<std::string> addresses;  ///< http, https; tried in this order
  std::string sha256;                  ///< 64 lower-case hex digits
  std::uint64_t bytes = 0;             ///< 0: not known, and at most kMostBytes
  /// Of a tar or zip archive: the folder in it whose files the data set's folder gets. Empty: the file itself.
  std::string unpack;
  std::uint64_t unpacked_bytes = 0;  ///< more than all members of a sound archive have together
};

/// Where a data set comes from: downloads/NAME.json beside the program's presets or beside a plugin.
struct PublishedData {
  std::string name;     ///< of the data set
  std::string summary;  ///< one sentence
  std::string page;     ///< where people read about it, its terms among that
  std::string folder;   ///< that it gets in the folder of the data sets
  std::vector<PublishedFile> files;
};

/// The largest file that is fetched.
inline constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

/// Whether it begins as https or http addresses do.
bool is_web_address(const std::string& address);

/// The folder of what is unpacked, beside the published files on their way.
inline constexpr char kUnpacked[] = "unpacked";

/// Reads one such file; a mistake in it is a usage error with its place.
PublishedData read_published(const std::filesystem::path& file);

/// The data set of that name in these folders, of which the first that has a name decides, or else the one that gets a
/// folder of that name; nothing where there is neither. `known` gets all names.
std::optional<PublishedData> find_published(const std::string& name, const std::vector<std::filesystem::path>& folders,
                                            std::vector<std::string>& known);

}  // namespace mixop
