#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mixop/abi/note.h"

namespace mixop {

/// What an ELF file can be refused for, in the order in which it is read.
enum class ElfDefect {
  not_elf,
  wrong_format,   ///< not 64-bit little endian of the current version
  wrong_machine,  ///< for another processor
  not_shared,     ///< a program or an object file
  bad_headers,    ///< program headers or segments outside the file
  bad_dynamic,    ///< no dynamic section, or one that points outside the file
  search_path,    ///< libraries would be searched at a place that depends on the machine or the current directory
  no_note,
  two_notes,
  bad_note,
  bad_symbols,  ///< tables of dynamic symbols outside the file
  exports,      ///< other symbols than the one that is expected
};

/// Thrown by ElfFile. The message says what was expected and found, without naming the file.
class ElfError : public std::runtime_error {
 public:
  ElfError(ElfDefect defect, const std::string& message) : std::runtime_error(message), defect_(defect) {}
  ElfDefect defect() const noexcept { return defect_; }

 private:
  ElfDefect defect_;
};

/// A bounded reader of a shared library's bytes: whatever they are, every access is inside them. It reads program
/// headers alone, so a stripped file without section headers is as good as any.
class ElfFile {
 public:
  /// Checks that the bytes are a shared library for this machine. `bytes` must outlive the object.
  explicit ElfFile(std::span<const std::byte> bytes);

  /// Throws where the dynamic section names a library or a search path that does not stay beside the file: only names
  /// without a folder, and paths that begin with $ORIGIN and have no '..', are accepted.
  void require_safe_search_paths() const;

  /// Whether one of them names $ORIGIN, the folder that the loader finds the library in.
  bool searches_folder() const;

  /// The one note of mixop. Throws where there is none, more than one, or one of another size.
  MixopNote note() const;

  /// Throws where the loader would find another symbol than the function `name`, or not that one.
  void require_one_export(std::string_view name) const;

 private:
  struct Dynamic;
  struct Segment {
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t alignment = 0;
  };

  void read_header();
  void read_segments(std::uint64_t offset, std::size_t count);
  template <class T>
  T at(std::uint64_t offset) const;
  Dynamic dynamic() const;
  std::span<const std::byte> loaded_at(std::uint64_t address, ElfDefect defect, const std::string& what) const;
  std::span<const std::byte> strings_of(const Dynamic& dynamic) const;
  void collect_notes(const Segment& segment, std::vector<MixopNote>& found) const;

  std::span<const std::byte> bytes_;
  std::vector<Segment> segments_;
};

}  // namespace mixop
