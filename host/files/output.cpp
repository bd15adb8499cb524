#include "host/files/output.hpp"

#include <cerrno>
#include <span>
#include <system_error>

#include "host/files/new_file.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& file, const std::string& problem) {
  throw Error(ErrorCode::usage, file.string() + ": cannot be written: " + problem);
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

/// The same for all ways to name a file that is there or not.
fs::path resolved(const fs::path& file) {
  std::error_code unknown;
  const fs::path folder = fs::weakly_canonical(fs::absolute(folder_of(file)), unknown);
  return (unknown ? fs::absolute(folder_of(file)).lexically_normal() : folder) / file.filename();
}

/// Whether a name is one of those that are kept beside `file`: FILE.lock, FILE.prev, FILE. ... .tmp.
bool is_kept_beside(const std::string& file, const std::string& name) {
  if (name.rfind(file + ".", 0) != 0) return false;
  const std::string end = fs::path(name).extension();
  return end == ".lock" || end == ".prev" || end == ".tmp";
}

void require_apart(const NamedOutput& one, const NamedOutput& other) {
  const std::string kept = resolved(one.file), named = resolved(other.file);
  const bool beside = is_kept_beside(kept, named);
  if (kept != named && !beside) return;
  throw Error(ErrorCode::usage, other.option + ": " + other.file.string() + " is " +
                                    (beside ? "a name that is kept for what is written beside " : "") +
                                    one.file.string() + ", which " + one.option + " names; name another file");
}

}  // namespace

void require_writable(const fs::path& file) {
  if (file.empty()) throw Error(ErrorCode::usage, "an empty name cannot be written; name a file");
  std::error_code problem;
  const fs::file_status status = fs::symlink_status(file, problem);
  if (problem && problem.value() == ENAMETOOLONG) refuse(file, "the name is too long; name a shorter one");
  if (fs::is_directory(status) || !file.has_filename()) refuse(file, "it is a folder; name a file in it");
  if (fs::exists(status) && !fs::is_regular_file(status))
    refuse(file, "it is a link, a pipe or a device; name a regular file, which can be replaced whole");
  const fs::path folder = folder_of(file);
  if (!fs::is_directory(folder, problem))
    refuse(file, "the folder " + folder.string() + " does not exist; make it first");
  try {
    const NewFile proof(file, ErrorCode::usage);
  } catch (const Error& error) {
    throw Error(error.code(), file.string() + ": cannot be written: " +
                                  std::string(error.what()).substr(file.string().size() + 2) +
                                  "; name a shorter one, or one in a folder that you may write to");
  }
}

void require_apart(const std::vector<NamedOutput>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (std::size_t j = i + 1; j < outputs.size(); ++j) require_apart(outputs[i], outputs[j]);
}

void write_bytes(std::span<const std::byte> content, const fs::path& file) {
  require_writable(file);
  remove_leftovers(file);
  NewFile fresh(file, ErrorCode::usage);
  fresh.write(content);
  fresh.sync();
  fresh.replace_target();
}

void write_text(const std::string& text, const fs::path& file) { write_bytes(std::as_bytes(std::span(text)), file); }

}  // namespace mixop
