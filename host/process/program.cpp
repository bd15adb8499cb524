#include "host/process/program.hpp"

#include <unistd.h>

#include <cstdlib>

#include "host/text/text.hpp"

namespace mixop {

std::optional<std::filesystem::path> program_on_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path != nullptr ? path : "", ':')) {
    const std::filesystem::path candidate = std::filesystem::path(folder) / name;
    std::error_code problem;
    if (candidate.is_absolute() && std::filesystem::is_regular_file(candidate, problem) &&
        ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return std::nullopt;
}

}  // namespace mixop
