#include "host/files/named_files.hpp"

#include <system_error>

#include "host/text/printable.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

bool is_named(const fs::directory_entry& entry) {
  std::error_code failure;
  return entry.path().extension() == ".json" && is_plain_name(entry.path().stem().string()) &&
         entry.is_regular_file(failure) &&
         (entry.status(failure).permissions() & fs::perms::others_write) == fs::perms::none;
}

}  // namespace

std::map<std::string, fs::path> named_files(const std::vector<fs::path>& folders, const std::string& what) {
  std::map<std::string, fs::path> files;
  for (const fs::path& folder : folders) {
    std::error_code problem;
    for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
      if (is_named(*at)) files.emplace(at->path().stem().string(), at->path());
    if (problem) throw Error(ErrorCode::usage, folder.string() + ": " + what + " cannot be read: " + problem.message());
  }
  return files;
}

}  // namespace mixop
