#include "host/plugins/elf_note.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace mixop {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#else
#error "mixop knows plugins for x86-64 and aarch64"
#endif

// A note header is three words: the sizes of name and description, and the type.
constexpr std::uint64_t kNoteHeader = 12;
constexpr std::uint32_t kNameSize = sizeof MIXOP_NOTE_NAME;
constexpr std::uint32_t kDescriptionSize = sizeof(MixopNote) - offsetof(MixopNote, abi_major);

// Real libraries have a dozen segments, and dynamic sections and notes of a few kilobytes.
constexpr std::size_t kMostSegments = 256;
constexpr std::uint64_t kLargestTable = std::uint64_t{1} << 20;
constexpr std::uint64_t kLongestName = 4096;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

// An entry of a colon-separated search path that stays beside the library.
bool beside_the_library(std::string_view entry) {
  for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"})
    if (entry == origin || (entry.starts_with(origin) && entry[origin.size()] == '/')) return true;
  return false;
}

void require_beside(const std::string& path, const char* tag) {
  if (path.empty()) return;
  std::string_view rest = path;
  for (;;) {
    const auto colon = rest.find(':');
    const std::string_view entry = rest.substr(0, colon);
    if (!beside_the_library(entry))
      throw ElfError(ElfDefect::search_path,
                     std::string(tag) + " '" + path + "' searches " +
                         (entry.empty() ? "the current directory" : "'" + std::string(entry) + "'") +
                         "; expected none, or entries that begin with $ORIGIN");
    if (colon == std::string_view::npos) return;
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace

ElfFile::ElfFile(std::span<const std::byte> bytes) : bytes_(bytes) { read_header(); }

template <class T>
T ElfFile::at(std::uint64_t offset) const {
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
    throw ElfError(ElfDefect::bad_headers, "offset " + std::to_string(offset) + " is past the end of a file of " +
                                               std::to_string(bytes_.size()) + " bytes");
  T value;
  std::memcpy(&value, bytes_.data() + offset, sizeof value);
  return value;
}

void ElfFile::read_header() {
  if (bytes_.size() < EI_NIDENT || std::memcmp(bytes_.data(), ELFMAG, SELFMAG) != 0)
    throw ElfError(ElfDefect::not_elf, "expected an ELF shared library, found " +
                                           (bytes_.empty() ? std::string("an empty file") : "another kind of file"));
  const auto ident = at<std::array<unsigned char, EI_NIDENT>>(0);
  if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB || ident[EI_VERSION] != EV_CURRENT)
    throw ElfError(ElfDefect::wrong_format, "expected a 64-bit little-endian ELF file of version 1, found class " +
                                                std::to_string(ident[EI_CLASS]) + ", byte order " +
                                                std::to_string(ident[EI_DATA]) + ", version " +
                                                std::to_string(ident[EI_VERSION]));
  const auto header = at<Elf64_Ehdr>(0);
  if (header.e_machine != kMachine)
    throw ElfError(ElfDefect::wrong_machine, "expected code for ELF machine " + std::to_string(kMachine) + ", found " +
                                                 std::to_string(header.e_machine));
  if (header.e_type != ET_DYN)
    throw ElfError(ElfDefect::not_shared, "expected a shared library (ELF type " + std::to_string(ET_DYN) +
                                              "), found type " + std::to_string(header.e_type));
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMostSegments)
    throw ElfError(ElfDefect::bad_headers, "expected 1 to " + std::to_string(kMostSegments) + " program headers of " +
                                               std::to_string(sizeof(Elf64_Phdr)) + " bytes, found " +
                                               std::to_string(header.e_phnum) + " of " +
                                               std::to_string(header.e_phentsize) + " bytes");
  read_segments(header.e_phoff, header.e_phnum);
}

void ElfFile::read_segments(std::uint64_t offset, std::size_t count) {
  if (offset > bytes_.size() || (bytes_.size() - offset) / sizeof(Elf64_Phdr) < count)
    throw ElfError(ElfDefect::bad_headers, std::to_string(count) + " program headers at offset " +
                                               std::to_string(offset) + " do not fit into a file of " +
                                               std::to_string(bytes_.size()) + " bytes");
  for (std::size_t i = 0; i < count; ++i) {
    const auto header = at<Elf64_Phdr>(offset + i * sizeof(Elf64_Phdr));
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE && header.p_type != PT_DYNAMIC) continue;
    if (header.p_offset > bytes_.size() || header.p_filesz > bytes_.size() - header.p_offset)
      throw ElfError(ElfDefect::bad_headers, "segment " + std::to_string(i) + " (offset " +
                                                 std::to_string(header.p_offset) + ", " +
                                                 std::to_string(header.p_filesz) + " bytes) ends outside a file of " +
                                                 std::to_string(bytes_.size()) + " bytes");
    if (header.p_type != PT_LOAD && header.p_filesz > kLargestTable)
      throw ElfError(ElfDefect::bad_headers, "segment " + std::to_string(i) + " has " +
                                                 std::to_string(header.p_filesz) + " bytes; expected at most " +
                                                 std::to_string(kLargestTable));
    segments_.push_back({header.p_type, header.p_offset, header.p_vaddr, header.p_filesz, header.p_align});
  }
}

std::uint64_t ElfFile::offset_of(std::uint64_t address, std::uint64_t size, const char* what) const {
  for (const Segment& segment : segments_) {
    if (segment.type != PT_LOAD || address < segment.address) continue;
    const std::uint64_t within = address - segment.address;
    if (within <= segment.size && size <= segment.size - within) return segment.offset + within;
  }
  throw ElfError(ElfDefect::bad_dynamic, std::string(what) + " at address " + std::to_string(address) + ", " +
                                             std::to_string(size) + " bytes, is in no loaded segment");
}

std::string ElfFile::text_at(std::uint64_t table, std::uint64_t table_size, std::uint64_t index) const {
  if (index >= table_size)
    throw ElfError(ElfDefect::bad_dynamic, "a name at " + std::to_string(index) + " of a string table of " +
                                               std::to_string(table_size) + " bytes");
  const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + table + index;
  const auto* end = begin + std::min(table_size - index, kLongestName);
  const auto* stop = std::find(begin, end, '\0');
  if (stop == end)
    throw ElfError(ElfDefect::bad_dynamic,
                   "a name in the string table does not end within " + std::to_string(end - begin) + " bytes");
  return std::string(begin, stop);
}

void ElfFile::require_safe_search_paths() const {
  const auto is_dynamic = [](const Segment& segment) { return segment.type == PT_DYNAMIC; };
  if (std::count_if(segments_.begin(), segments_.end(), is_dynamic) != 1)
    throw ElfError(ElfDefect::bad_dynamic, "expected one dynamic segment");
  const Segment& dynamic = *std::find_if(segments_.begin(), segments_.end(), is_dynamic);
  // The loader goes by the address, so this reader does too.
  const std::uint64_t offset = offset_of(dynamic.address, dynamic.size, "the dynamic section");

  std::uint64_t strings = 0;
  std::uint64_t strings_size = 0;
  std::vector<Elf64_Dyn> names;
  for (std::uint64_t i = 0; i < dynamic.size / sizeof(Elf64_Dyn); ++i) {
    const auto entry = at<Elf64_Dyn>(offset + i * sizeof(Elf64_Dyn));
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH || entry.d_tag == DT_NEEDED) names.push_back(entry);
  }
  if (names.empty()) return;
  const std::uint64_t table = offset_of(strings, strings_size, "the string table");
  for (const Elf64_Dyn& entry : names) {
    const std::string text = text_at(table, strings_size, entry.d_un.d_val);
    if (entry.d_tag != DT_NEEDED) {
      require_beside(text, entry.d_tag == DT_RUNPATH ? "RUNPATH" : "RPATH");
    } else if (text.find('/') != std::string::npos && !beside_the_library(text)) {
      throw ElfError(ElfDefect::search_path, "needs the library '" + text + "'; expected a name without a folder");
    }
  }
}

void ElfFile::collect_notes(const Segment& segment, std::vector<MixopNote>& found) const {
  const std::uint64_t alignment = segment.alignment == 8 ? 8 : 4;
  std::uint64_t position = 0;
  while (segment.size - position >= kNoteHeader) {
    const std::uint64_t start = segment.offset + position;
    const auto name_size = at<std::uint32_t>(start);
    const auto size = at<std::uint32_t>(start + 4);
    const auto type = at<std::uint32_t>(start + 8);
    const std::uint64_t description = align_up(kNoteHeader + name_size, alignment);
    const std::uint64_t left = segment.size - position;
    if (description > left || size > left - description)
      throw ElfError(ElfDefect::bad_note, "a note of " + std::to_string(description + size) +
                                              " bytes is longer than the rest of its segment, " + std::to_string(left));
    if (name_size == kNameSize && std::memcmp(bytes_.data() + start + kNoteHeader, MIXOP_NOTE_NAME, kNameSize) == 0) {
      if (type != MIXOP_NOTE_TYPE || size != kDescriptionSize)
        throw ElfError(ElfDefect::bad_note, "expected a note of type " + std::to_string(MIXOP_NOTE_TYPE) + " with " +
                                                std::to_string(kDescriptionSize) + " bytes, found type " +
                                                std::to_string(type) + " with " + std::to_string(size));
      MixopNote note{};
      note.name_size = name_size;
      note.desc_size = size;
      note.type = type;
      std::memcpy(note.name, MIXOP_NOTE_NAME, kNameSize);
      std::memcpy(&note.abi_major, bytes_.data() + start + description, kDescriptionSize);
      found.push_back(note);
    }
    const std::uint64_t next = align_up(description + size, alignment);
    if (next >= left) return;
    position += next;
  }
}

MixopNote ElfFile::note() const {
  std::vector<MixopNote> found;
  for (const Segment& segment : segments_)
    if (segment.type == PT_NOTE && found.size() < 2) collect_notes(segment, found);
  if (found.empty())
    throw ElfError(ElfDefect::no_note,
                   "has no " MIXOP_NOTE_SECTION " note; expected one: build it with mixop_add_plugin()");
  if (found.size() > 1)
    throw ElfError(ElfDefect::two_notes,
                   "has more than one " MIXOP_NOTE_SECTION " note; expected one: use MIXOP_PLUGIN in one source file");
  return found.front();
}

}  // namespace mixop
