#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "host/plugins/open_file.hpp"
#include "mixop/abi/note.h"
#include "mixop/error.hpp"

namespace mixop {

/// What a plugin must pass before it is used, in this order. The checks up to `lock` run none of its code.
enum class PluginCheck {
  path,
  owner_and_mode,
  elf,
  runpath,
  note,
  abi,
  libtorch,
  native_revision,
  flags,
  exports,
  lock,
  load,
  symbol,
  descriptor,
  components,
  init,
  factory,
  self_test,
};

/// The name of a check, as messages and `plugins check` print it.
const char* name_of(PluginCheck check);

/// A plugin that failed a check. The message names the file and the check, and says what was expected and found.
class PluginRefused : public Error {
 public:
  PluginRefused(PluginCheck check, const std::filesystem::path& file, const std::string& problem);
  PluginCheck check() const noexcept { return check_; }
  /// The message without the file and the check.
  const std::string& problem() const noexcept { return problem_; }

 private:
  PluginCheck check_;
  std::string problem_;
};

/// What a host offers and demands; packed versions are as in MixopNote.
struct HostTraits {
  std::uint16_t abi_major = MIXOP_ABI_MAJOR;
  std::uint16_t abi_minor = MIXOP_ABI_MINOR;
  std::uint32_t flags = 0;
  std::uint32_t libtorch = 0;
  std::uint32_t cuda = 0;  ///< 0: a LibTorch without CUDA
  std::uint32_t native_revision = 0;

  /// Of this program.
  static HostTraits current();
};

/// A plugin file that passed every check that runs no code of it.
struct PluginFile {
  std::filesystem::path path;  ///< absolute, without links
  MixopNote note{};
  std::string sha256;  ///< of the bytes that were checked, in hexadecimal
  std::shared_ptr<OpenFile> opened;
  bool searches_folder = false;  ///< for libraries, which stand beside it or below
};

/// Runs the checks path to exports on the file at the absolute `path`. Throws PluginRefused.
PluginFile check_file(const std::filesystem::path& path, const HostTraits& host);

/// Throws PluginRefused, by the check load, where the path names another file, or the file's bytes are no longer those
/// that were checked.
void require_unchanged(const PluginFile& file);

/// The checks abi, note, libtorch, native_revision and flags on a note that was read from `file`.
void check_note(const MixopNote& note, const std::filesystem::path& file, const HostTraits& host);

/// 0x020b00 as "2.11.0".
std::string version_text(std::uint32_t packed);
/// 13000 as "13.0".
std::string cuda_text(std::uint32_t version);
/// "none", "stable" or "native".
std::string tier_text(std::uint32_t tier);

}  // namespace mixop
