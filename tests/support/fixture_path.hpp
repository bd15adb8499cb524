#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/catch.hpp"

namespace mixop::test {

/// Where the stored numbers lie: MIXOP_FIXTURES, else the repacked copies in tests/fixtures.
inline std::filesystem::path fixture_path(const std::string& file) {
  const char* folder = std::getenv("MIXOP_FIXTURES");
  return std::filesystem::path(folder != nullptr ? folder : MIXOP_FIXTURES_DEFAULT) / file;
}

/// A table that does not depend on the sizes of a set: the one of MIXOP_FIXTURES, or the tree's own, which is reported,
/// where that set has none.
inline std::filesystem::path path_of_optional(const std::string& file) {
  const std::filesystem::path given = fixture_path(file), own = std::filesystem::path(MIXOP_FIXTURES_DEFAULT) / file;
  if (std::filesystem::exists(given)) return given;
  WARN(given.string() << " is not there; compared with " << own.string());
  return own;
}

}  // namespace mixop::test
