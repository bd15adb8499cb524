#include "host/plugins/checks.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "host/plugins/elf_note.hpp"
#include "host/plugins/trusted_path.hpp"
#include "host/text/sha256.hpp"
#include "mixop/abi/plugin.h"
#include "mixop/native_revision.h"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestPlugin = std::uint64_t{1} << 30;
constexpr std::uint32_t kAllKinds = MIXOP_KIND_OPERATOR | MIXOP_KIND_SPACE | MIXOP_KIND_DATASET | MIXOP_KIND_STRATEGY;
constexpr std::uint32_t kCompilerFlags =
    MIXOP_FLAG_CXX11_ABI | MIXOP_FLAG_DEBUG_STDLIB | MIXOP_FLAG_ASAN | MIXOP_FLAG_TSAN;

// Whoever may write to a folder of the path can put another file in the plugin's place, or replace the link to it.
void check_folders(const fs::path& folder, const fs::path& file) {
  if (const std::string problem = folders_changed_by_others(folder); !problem.empty())
    throw PluginRefused(PluginCheck::owner_and_mode, file, problem);
}

std::vector<std::byte> read_all(const OpenFile& file, std::uint64_t size, const fs::path& path) {
  std::vector<std::byte> bytes = file.read(size);
  if (bytes.size() < size)
    throw PluginRefused(PluginCheck::path, path,
                        "reading stopped after " + std::to_string(bytes.size()) + " of " + std::to_string(size) +
                            " bytes: " + (errno != 0 ? std::strerror(errno) : "the file became shorter"));
  return bytes;
}

// Path, owner and mode, into `file`; the result is what all further checks look at.
std::vector<std::byte> read_checked(const fs::path& path, PluginFile& file) {
  if (!path.is_absolute())
    throw PluginRefused(PluginCheck::path, path,
                        "expected an absolute path; plugins are never searched by a bare name");
  std::error_code failure;
  file.path = fs::canonical(path, failure);
  if (failure) throw PluginRefused(PluginCheck::path, path, "cannot be found: " + failure.message());
  check_folders(path.parent_path(), path);
  check_folders(file.path.parent_path(), path);
  file.opened = std::make_shared<OpenFile>(file.path);
  struct stat info {};
  if (file.opened->descriptor() < 0 || ::fstat(file.opened->descriptor(), &info) != 0)
    throw PluginRefused(PluginCheck::path, path, "cannot be opened: " + std::string(std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) throw PluginRefused(PluginCheck::path, path, "expected a regular file");
  if (const std::string problem = changed_by_others(info, file.path); !problem.empty())
    throw PluginRefused(PluginCheck::owner_and_mode, path, "the file " + file.path.string() + " " + problem);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > kLargestPlugin)
    throw PluginRefused(PluginCheck::elf, path,
                        "has " + std::to_string(size) + " bytes; expected at most " + std::to_string(kLargestPlugin));
  return read_all(*file.opened, size, path);
}

std::string sha256_of_bytes(const std::vector<std::byte>& bytes) {
  return sha256_of_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

PluginCheck check_of(ElfDefect defect) {
  switch (defect) {
    case ElfDefect::bad_dynamic:
    case ElfDefect::search_path:
      return PluginCheck::runpath;
    case ElfDefect::no_note:
    case ElfDefect::two_notes:
    case ElfDefect::bad_note:
      return PluginCheck::note;
    case ElfDefect::bad_symbols:
    case ElfDefect::exports:
      return PluginCheck::exports;
    default:
      return PluginCheck::elf;
  }
}

void check_abi(const MixopNote& note, const fs::path& file, const HostTraits& host) {
  const auto text = [](unsigned major, unsigned minor) { return std::to_string(major) + "." + std::to_string(minor); };
  const std::string found = "was built for plugin ABI " + text(note.abi_major, note.abi_minor) + "; this mixop has " +
                            text(host.abi_major, host.abi_minor);
  if (note.abi_major != host.abi_major)
    throw PluginRefused(PluginCheck::abi, file, found + ". Rebuild the plugin with this mixop's SDK");
  if (note.abi_minor > host.abi_minor)
    throw PluginRefused(
        PluginCheck::abi, file,
        found + " and may lack what the plugin needs. Use a newer mixop, or rebuild with this one's SDK");
}

// Fields that no plugin of a known ABI may hold otherwise.
void check_fields(const MixopNote& note, const fs::path& file) {
  const auto refuse = [&](const std::string& problem) {
    throw PluginRefused(PluginCheck::note, file, problem + ". Rebuild it with mixop_add_plugin()");
  };
  if (note.kinds == 0 || (note.kinds & ~kAllKinds) != 0)
    refuse("its note names the kinds " + std::to_string(note.kinds) + "; expected bits of " +
           std::to_string(kAllKinds));
  if (note.tier > MIXOP_TIER_NATIVE)
    refuse("its note names tier " + std::to_string(note.tier) + "; expected 0 (none), 1 (stable) or 2 (native)");
  if ((note.flags & ~(kCompilerFlags | MIXOP_FLAG_CUDA)) != 0)
    refuse("its note has the flags " + std::to_string(note.flags) + "; expected bits of " +
           std::to_string(kCompilerFlags | MIXOP_FLAG_CUDA));
  if ((note.tier == MIXOP_TIER_NONE) != (note.libtorch_version == 0))
    refuse("its note names tier " + tier_text(note.tier) + " with LibTorch " + version_text(note.libtorch_version) +
           "; expected a version in the tiers stable and native, and none in tier none");
  if (((note.flags & MIXOP_FLAG_CUDA) != 0) != (note.cuda_version != 0))
    refuse("its note has CUDA version " + std::to_string(note.cuda_version) + " with the CUDA flag " +
           ((note.flags & MIXOP_FLAG_CUDA) != 0 ? "set" : "clear") + "; expected both or neither");
  const bool crosses = MIXOP_NATIVE_REVISION_OF(note.kinds, note.tier) != 0;
  if (crosses != (note.native_revision != 0))
    refuse("its note names native revision " + std::to_string(note.native_revision) + " with the kinds " +
           std::to_string(note.kinds) + " and tier " + tier_text(note.tier) +
           "; expected one in tier native and for spaces and strategies, and 0 elsewhere");
  if (std::any_of(std::begin(note.reserved), std::end(note.reserved), [](std::uint32_t word) { return word != 0; }))
    refuse("its note has reserved words that are not zero");
}

void check_libtorch(const MixopNote& note, const fs::path& file, const HostTraits& host) {
  const std::string own = "; this mixop has LibTorch " + version_text(host.libtorch);
  if (note.tier == MIXOP_TIER_NATIVE && note.libtorch_version != host.libtorch)
    throw PluginRefused(PluginCheck::libtorch, file,
                        "is of tier native and was built for LibTorch " + version_text(note.libtorch_version) + own +
                            ". Rebuild it with this mixop's LibTorch");
  if (note.tier == MIXOP_TIER_STABLE && note.libtorch_version > host.libtorch)
    throw PluginRefused(PluginCheck::libtorch, file,
                        "is of tier stable and needs LibTorch " + version_text(note.libtorch_version) + " or newer" +
                            own + ". Rebuild it with an older target version");
  if (note.cuda_version != 0 && note.cuda_version / 1000 != host.cuda / 1000)
    throw PluginRefused(PluginCheck::libtorch, file,
                        "was built with CUDA " + cuda_text(note.cuda_version) + "; this mixop has " +
                            (host.cuda == 0 ? "a LibTorch without CUDA" : "CUDA " + cuda_text(host.cuda)) +
                            ". Rebuild it with the same major version");
}

void check_native_revision(const MixopNote& note, const fs::path& file, const HostTraits& host) {
  if (note.native_revision == 0 || note.native_revision == host.native_revision) return;
  throw PluginRefused(PluginCheck::native_revision, file,
                      "was built for revision " + std::to_string(note.native_revision) +
                          " of the C++ types that it shares with the host; this mixop has revision " +
                          std::to_string(host.native_revision) + ". Rebuild it with this mixop's SDK");
}

std::string flag_names(std::uint32_t flags) {
  std::string names;
  const auto add = [&](std::uint32_t bit, const char* name) {
    if ((flags & bit) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
  };
  add(MIXOP_FLAG_CXX11_ABI, "cxx11 abi");
  add(MIXOP_FLAG_DEBUG_STDLIB, "debug standard library");
  add(MIXOP_FLAG_ASAN, "address sanitizer");
  add(MIXOP_FLAG_TSAN, "thread sanitizer");
  return names.empty() ? "none" : names;
}

void check_flags(const MixopNote& note, const fs::path& file, const HostTraits& host) {
  if ((note.flags & kCompilerFlags) == (host.flags & kCompilerFlags)) return;
  throw PluginRefused(PluginCheck::flags, file,
                      "was compiled with: " + flag_names(note.flags) + "; this mixop with: " + flag_names(host.flags) +
                          ". Rebuild it with the host's compiler options");
}

}  // namespace

const char* name_of(PluginCheck check) {
  constexpr std::array<const char*, 18> kNames = {
      "path",  "owner and mode", "elf",       "runpath", "note",   "abi",        "libtorch",   "native revision",
      "flags", "exports",        "lock file", "load",    "symbol", "descriptor", "components", "init",
      "factory", "self-test"};
  return kNames[static_cast<std::size_t>(check)];
}

PluginRefused::PluginRefused(PluginCheck check, const fs::path& file, const std::string& problem)
    : Error(ErrorCode::plugin, "plugin " + file.string() + " is refused (" + name_of(check) + "): " + problem),
      check_(check),
      problem_(problem) {}

void check_note(const MixopNote& note, const fs::path& file, const HostTraits& host) {
  check_abi(note, file, host);
  check_fields(note, file);
  check_libtorch(note, file, host);
  check_native_revision(note, file, host);
  check_flags(note, file, host);
}

PluginFile check_file(const fs::path& path, const HostTraits& host) {
  PluginFile file;
  const std::vector<std::byte> bytes = read_checked(path, file);
  try {
    const ElfFile elf(bytes);
    elf.require_safe_search_paths();
    file.searches_folder = elf.searches_folder();
    file.note = elf.note();
    check_note(file.note, path, host);
    elf.require_one_export(MIXOP_PLUGIN_SYMBOL);
  } catch (const ElfError& error) {
    throw PluginRefused(check_of(error.defect()), path, error.what());
  }
  file.sha256 = sha256_of_bytes(bytes);
  return file;
}

void require_unchanged(const PluginFile& file) {
  struct stat now {
  }, opened{};
  if (::stat(file.path.c_str(), &now) != 0)
    throw PluginRefused(PluginCheck::load, file.path,
                        "is gone after it was checked: " + std::string(std::strerror(errno)) +
                            ". Try again once nothing writes to its folder");
  ::fstat(file.opened->descriptor(), &opened);
  if (now.st_dev != opened.st_dev || now.st_ino != opened.st_ino)
    throw PluginRefused(
        PluginCheck::load, file.path,
        "was replaced by another file after it was checked. Try again once nothing writes to its folder");
  const std::string found =
      sha256_of_bytes(read_all(*file.opened, static_cast<std::uint64_t>(opened.st_size), file.path));
  if (found != file.sha256)
    throw PluginRefused(PluginCheck::load, file.path,
                        "changed after it was checked: its SHA-256 was " + file.sha256 + " and is " + found +
                            ". Try again once nothing writes to it");
}

std::string version_text(std::uint32_t packed) {
  return std::to_string(packed >> 16) + "." + std::to_string(packed >> 8 & 0xff) + "." + std::to_string(packed & 0xff);
}

std::string cuda_text(std::uint32_t version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string tier_text(std::uint32_t tier) {
  constexpr std::array<const char*, 3> kTiers = {"none", "stable", "native"};
  return tier < kTiers.size() ? kTiers[tier] : std::to_string(tier);
}

}  // namespace mixop
