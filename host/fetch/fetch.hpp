#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "host/fetch/published.hpp"

namespace mixop {

/// What is told of a fetch while it goes on, and asked.
struct FetchReports {
  /// Several times a second while a file comes: its bytes so far, and in all, 0 where that is not known.
  std::function<void(const PublishedFile& file, std::uint64_t done, std::uint64_t all)> progress;
  /// Asked several times a second: whether it is to stop.
  std::function<bool()> stopped;
  /// A line for people.
  std::function<void(const std::string& line)> say;
};

enum class FetchEnd { fetched, stopped, was_there };

/// The folder of a data set in the folder of all.
std::filesystem::path fetched_folder(const PublishedData& data, const std::filesystem::path& folder);

/// Fetches a data set's files, holds them against their digests, and unpacks them as fetched_folder(), unless that is
/// there.
///
/// What is on its way lies in fetched_folder().part: a fetch that was stopped or killed goes on with it, and when all
/// is whole and on the disk the unpacked folder takes its name in one step and .part goes. A published file that lies
/// in `folder` under its name is used in place of a download, and stays. Throws bad_data where bytes are not those that
/// are published, failed where the network, the disk or another fetch of the same data set is in the way.
FetchEnd fetch(const PublishedData& data, const std::filesystem::path& folder, const FetchReports& reports);

}  // namespace mixop
