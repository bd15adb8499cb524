#pragma once

#include <filesystem>
#include <string>

#include "host/json/json.hpp"

namespace mixop {

/// A folder that a work of many runs writes, and the file in it that says what was asked for and what has come of it.
struct OutputFolder {
  std::filesystem::path folder;
  const char* file;    ///< "selection.json"
  const char* layout;  ///< what that file says to be: "mixop.selection/1"
  const char* what;    ///< "selection"

  std::filesystem::path result() const { return folder / file; }
  bool has_result() const;
  /// The result that is there. Throws a usage error where it is none.
  JsonValue read() const;
  /// Makes the folder. Refuses one that holds anything else, and, unless it is to be overwritten, the result of another
  /// request than `request`.
  void take(const std::string& request, bool overwrite) const;
};

/// Removes a file of a work and what writing it may have left beside it; refuses one that is in use.
void remove_written(const std::filesystem::path& file);

/// Replaces a whole text file, durably.
void replace_text(const std::filesystem::path& file, const std::string& text);

}  // namespace mixop
