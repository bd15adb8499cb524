#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "mixop/error.hpp"

namespace mixop {

/// The levels of a path in an archive; throws `code` for one that is empty, absolute, climbs or is deeper than 64
/// folders. `where` begins the message.
std::vector<std::string> levels_in_archive(const std::string& path, const std::string& where, ErrorCode code);

/// Unpacks the files below folder `below` of a tar (gzip or not) or zip archive, an open file, into the folder `to`,
/// which is there and empty. Nothing is ever written elsewhere: a name that is absolute or climbs, a link, a device,
/// two files of one name and members that have more than `most` bytes together are refused as bad data with the
/// member's name, wherever in the archive they are. `name` names the archive in errors. False where `stopped` said so
/// on the way.
bool unpack(int archive, const std::string& name, const std::string& below, const std::filesystem::path& to,
            std::uint64_t most, const std::function<bool()>& stopped);

}  // namespace mixop
