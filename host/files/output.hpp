#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace mixop {

/// Refuses, as a usage error, a name to which no file can be written: an empty one, one that is too long, a folder, a
/// link, pipe or device, a name in a folder that is not there or cannot be written to. A file that is made and removed
/// again is the proof.
void require_writable(const std::filesystem::path& file);

/// A file that a run writes, and what asked for it: {"run.h5", "--out"}.
struct NamedOutput {
  std::filesystem::path file;
  std::string option;
};

/// Refuses, as a usage error, two outputs of one name, and one whose name is kept for what is written beside an earlier
/// one: its .lock, .prev and .tmp.
void require_apart(const std::vector<NamedOutput>& outputs);

/// Replaces a whole file, durably, or leaves it as it was; throws usage where it cannot be written.
void write_bytes(std::span<const std::byte> content, const std::filesystem::path& file);
void write_text(const std::string& text, const std::filesystem::path& file);

}  // namespace mixop
