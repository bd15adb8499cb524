#include "host/session/output_folder.hpp"

#include <span>

#include "host/archive/file.hpp"
#include "host/files/output.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

/// Whether a folder holds nothing but what a work that was killed as it began may have left.
bool is_unused(const fs::path& folder, const std::string& begun) {
  std::error_code unreadable;  // which the lock will report
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    const std::string name = entry.path().filename();
    const bool left = name == begun + ".lock" || (name.rfind(begun + ".", 0) == 0 && name.ends_with(".tmp"));
    if (!left) return false;
  }
  return true;
}

}  // namespace

void replace_text(const fs::path& file, const std::string& text) { replace_file(file, std::as_bytes(std::span(text))); }

void remove_written(const fs::path& file) {
  const ArchiveLock lock(file);
  for (const char* end : {"", ".prev"}) fs::remove(file.string() + end);
}

bool OutputFolder::has_result() const {
  std::error_code failure;
  return fs::exists(fs::symlink_status(result(), failure));
}

JsonValue OutputFolder::read() const {
  const auto refuse = [&](const std::string& problem) {
    return Error(ErrorCode::usage,
                 result().string() + " is no result of a " + what + " (" + problem + "); name another --out");
  };
  if (!fs::is_regular_file(fs::symlink_status(result()))) throw refuse("a link, a folder, a pipe or a device");
  JsonValue root;
  try {
    root = parse_json_file(result(), ErrorCode::usage);
  } catch (const Error& error) {
    throw refuse(error.what());
  }
  const JsonValue *own = root.find("layout"), *request = root.find("request");
  if (own == nullptr || own->text != layout || request == nullptr)
    throw refuse("expected an object of layout '" + std::string(layout) + "' with its request");
  return root;
}

void OutputFolder::take(const std::string& request, bool overwrite) const {
  if (folder.empty()) throw Error(ErrorCode::usage, "an empty name is no folder; name one by --out");
  std::error_code failure;
  if (has_result()) {
    const std::string asked = read().find("request")->text;
    if (!overwrite && asked != request)
      throw Error(ErrorCode::usage, folder.string() + " holds another " + what + " (" + asked +
                                        "); repeat its command, name another --out, or begin anew by --overwrite");
  } else if (fs::is_directory(folder, failure) && !is_unused(folder, file)) {
    throw Error(ErrorCode::usage, folder.string() + " exists and holds no " + what + "; name another --out");
  }
  fs::create_directories(folder, failure);
  if (failure)
    throw Error(ErrorCode::usage,
                folder.string() + ": the folder cannot be made: " + failure.message() + "; name another --out");
  require_writable(result());
}

}  // namespace mixop
