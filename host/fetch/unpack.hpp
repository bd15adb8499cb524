#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace mixop {

/// Unpacks the files below folder `below` of a tar (gzip or not) or zip archive into the folder `to`, which is there
/// and empty. Nothing is ever written elsewhere: a name that is absolute or climbs, a link, a device, two files of one
/// name and members that have more than `most` bytes together are refused as bad data with the member's name, wherever
/// in the archive they are. `name` names the archive in errors.
void unpack(const std::filesystem::path& archive, const std::string& name, const std::string& below,
            const std::filesystem::path& to, std::uint64_t most);

}  // namespace mixop
