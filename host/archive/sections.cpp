#include "host/archive/sections.hpp"

namespace mixop {

void require_within(const Archive& archive, const std::string& group, const char* name, std::int64_t value,
                    std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    throw Error(ErrorCode::bad_data, archive.name() + ": " + group + "@" + name + ": expected " +
                                         std::to_string(least) + " to " + std::to_string(most) + ", found " +
                                         std::to_string(value));
}

void SectionReader::operator()(const char* name, std::int64_t& value, std::int64_t least, std::int64_t most) {
  value = archive_.integer(group_, name);
  require_within(archive_, group_, name, value, least, most);
}

}  // namespace mixop
