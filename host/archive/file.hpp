#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mixop {

/// Replaces a file so that at no moment, power loss included, there is neither the old nor the new one: a NewFile is
/// written and synced, a hard link keeps the old file as PATH.prev, the new one is renamed over PATH, the folder is
/// synced. On any failure the old file is as it was, nothing new is left and the error names the step; only where
/// syncing the folder is what failed, the new file stands whole in the old one's place.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> content);

/// A whole regular file; bad_data where it is missing or cannot be read.
std::vector<std::byte> read_file(const std::filesystem::path& path);

/// The process that writes an archive, by its lock; nothing where none does.
std::optional<long> lock_holder(const std::filesystem::path& path);

/// Keeps other processes (and other locks of this one) from writing PATH, by a lock on PATH.lock, as long as it lives.
/// Removes what a holder that was killed left beside PATH.
class ArchiveLock {
 public:
  /// Throws a usage error that names the holder where the file is in use, and where PATH.lock is no lock file.
  explicit ArchiveLock(const std::filesystem::path& path);
  ArchiveLock(const ArchiveLock&) = delete;
  ArchiveLock& operator=(const ArchiveLock&) = delete;
  ~ArchiveLock();

 private:
  std::string lock_path_;
  int descriptor_ = -1;
};

}  // namespace mixop
