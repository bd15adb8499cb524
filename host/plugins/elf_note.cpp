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
constexpr std::size_t kMostNamesToTell = 3;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

bool climbs(std::string_view path) {
  for (;;) {
    const auto slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

// A path in or below the library's own folder, the one whose owner and mode are checked.
bool beside_the_library(std::string_view entry) {
  for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"})
    if (entry == origin || (entry.starts_with(origin) && entry[origin.size()] == '/')) return !climbs(entry);
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
                         "; expected none, or entries that begin with $ORIGIN and have no '..'");
    if (colon == std::string_view::npos) return;
    rest.remove_prefix(colon + 1);
  }
}

bool names_a_path(std::int64_t tag) { return tag == DT_RUNPATH || tag == DT_RPATH; }

// The loader opens a needed library, and those that a filter stands for.
bool names_a_library(std::int64_t tag) { return tag == DT_NEEDED || tag == DT_AUXILIARY || tag == DT_FILTER; }

// Entry `index` of a table that ends where `table` does.
template <class T>
T entry_of(std::span<const std::byte> table, std::uint64_t index, ElfDefect defect, const char* what) {
  if (index >= table.size() / sizeof(T))
    throw ElfError(defect, std::string(what) + " ends before its entry " + std::to_string(index));
  T value;
  std::memcpy(&value, table.data() + index * sizeof(T), sizeof value);
  return value;
}

std::string text_at(std::span<const std::byte> strings, std::uint64_t index, ElfDefect defect) {
  if (index >= strings.size())
    throw ElfError(defect, "a name at " + std::to_string(index) + " of a string table of " +
                               std::to_string(strings.size()) + " bytes");
  const auto* begin = reinterpret_cast<const char*>(strings.data()) + index;
  const auto* end = begin + std::min<std::uint64_t>(strings.size() - index, kLongestName);
  const auto* stop = std::find(begin, end, '\0');
  if (stop == end)
    throw ElfError(defect, "a name in the string table does not end within " + std::to_string(end - begin) + " bytes");
  return std::string(begin, stop);
}

// The symbols that the loader finds by their names: those of indices [first, end).
struct SymbolRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

// GNU's table: buckets, first symbol, words of the filter, shift; filter of 8-byte words; buckets; chains, in which a
// set lowest bit ends a bucket.
SymbolRange symbols_of_gnu_hash(std::span<const std::byte> table) {
  const auto word = [&](std::uint64_t index) {
    return entry_of<std::uint32_t>(table, index, ElfDefect::bad_symbols, "the symbol hash table");
  };
  const std::uint64_t buckets = word(0), first = word(1), buckets_at = 4 + 2 * std::uint64_t{word(2)};
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < buckets; ++i) last = std::max<std::uint64_t>(last, word(buckets_at + i));
  if (last < first) return {};
  while ((word(buckets_at + buckets + last - first) & 1) == 0) ++last;
  return {first, last + 1};
}

// The older table: numbers of buckets and of symbols.
SymbolRange symbols_of_hash(std::span<const std::byte> table) {
  return {0, entry_of<std::uint32_t>(table, 1, ElfDefect::bad_symbols, "the symbol hash table")};
}

bool is_exported(const Elf64_Sym& symbol) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info), visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && binding != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

bool is_function(const Elf64_Sym& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC || ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
}

// What a library offers by name: whether the expected function, how many others, and some of their names.
struct Exports {
  bool complete = false;
  std::size_t others = 0;
  std::string names;
};

Exports exports_of(std::span<const std::byte> symbols, std::span<const std::byte> strings, const SymbolRange& range,
                   std::string_view expected) {
  Exports exports;
  for (std::uint64_t i = range.first; i < range.end; ++i) {
    const auto symbol = entry_of<Elf64_Sym>(symbols, i, ElfDefect::bad_symbols, "the symbol table");
    if (!is_exported(symbol)) continue;
    const std::string name = text_at(strings, symbol.st_name, ElfDefect::bad_symbols);
    if (name == expected && is_function(symbol))
      exports.complete = true;
    else if (++exports.others <= kMostNamesToTell)
      exports.names += (exports.others > 1 ? ", '" : "'") + name + "'";
  }
  return exports;
}

}  // namespace

// What the loader reads of the dynamic section: addresses, 0 where there is none.
struct ElfFile::Dynamic {
  std::uint64_t strings = 0;
  std::uint64_t strings_size = 0;
  std::uint64_t symbols = 0;
  std::uint64_t hash = 0;
  std::uint64_t gnu_hash = 0;
  std::vector<Elf64_Dyn> names;
};

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

// From an address to the end of its loaded segment. The loader goes by addresses, so this reader does too.
std::span<const std::byte> ElfFile::loaded_at(std::uint64_t address, ElfDefect defect, const std::string& what) const {
  for (const Segment& segment : segments_)
    if (segment.type == PT_LOAD && address >= segment.address && address - segment.address < segment.size)
      return bytes_.subspan(segment.offset, segment.size).subspan(address - segment.address);
  throw ElfError(defect, what + " at address " + std::to_string(address) + " is in no loaded segment");
}

ElfFile::Dynamic ElfFile::dynamic() const {
  const auto is_dynamic = [](const Segment& segment) { return segment.type == PT_DYNAMIC; };
  if (std::count_if(segments_.begin(), segments_.end(), is_dynamic) != 1)
    throw ElfError(ElfDefect::bad_dynamic, "expected one dynamic segment");
  const Segment& segment = *std::find_if(segments_.begin(), segments_.end(), is_dynamic);
  const auto table = loaded_at(segment.address, ElfDefect::bad_dynamic, "the dynamic section");
  if (segment.size > table.size())
    throw ElfError(ElfDefect::bad_dynamic, "the dynamic section of " + std::to_string(segment.size) +
                                               " bytes is longer than the rest of its segment, " +
                                               std::to_string(table.size()));
  Dynamic dynamic;
  for (std::uint64_t i = 0; i < segment.size / sizeof(Elf64_Dyn); ++i) {
    const auto entry = entry_of<Elf64_Dyn>(table, i, ElfDefect::bad_dynamic, "the dynamic section");
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) dynamic.strings = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) dynamic.strings_size = entry.d_un.d_val;
    if (entry.d_tag == DT_SYMTAB) dynamic.symbols = entry.d_un.d_ptr;
    if (entry.d_tag == DT_HASH) dynamic.hash = entry.d_un.d_ptr;
    if (entry.d_tag == DT_GNU_HASH) dynamic.gnu_hash = entry.d_un.d_ptr;
    if (names_a_path(entry.d_tag) || names_a_library(entry.d_tag)) dynamic.names.push_back(entry);
  }
  return dynamic;
}

std::span<const std::byte> ElfFile::strings_of(const Dynamic& dynamic) const {
  const auto table = loaded_at(dynamic.strings, ElfDefect::bad_dynamic, "the string table");
  if (dynamic.strings_size > table.size())
    throw ElfError(ElfDefect::bad_dynamic, "the string table of " + std::to_string(dynamic.strings_size) +
                                               " bytes is longer than the rest of its segment, " +
                                               std::to_string(table.size()));
  return table.first(dynamic.strings_size);
}

void ElfFile::require_safe_search_paths() const {
  const Dynamic found = dynamic();
  if (found.names.empty()) return;
  const auto strings = strings_of(found);
  for (const Elf64_Dyn& entry : found.names) {
    const std::string text = text_at(strings, entry.d_un.d_val, ElfDefect::bad_dynamic);
    if (names_a_path(entry.d_tag)) {
      require_beside(text, entry.d_tag == DT_RUNPATH ? "RUNPATH" : "RPATH");
    } else if (text.find('/') != std::string::npos && !beside_the_library(text)) {
      throw ElfError(ElfDefect::search_path, (entry.d_tag == DT_NEEDED ? "needs" : "is a filter of") +
                                                 (" the library '" + text + "'; expected a name without a folder"));
    }
  }
}

bool ElfFile::searches_folder() const {
  const Dynamic found = dynamic();
  const auto names_origin = [&](const Elf64_Dyn& entry) {
    return text_at(strings_of(found), entry.d_un.d_val, ElfDefect::bad_dynamic).find("ORIGIN") != std::string::npos;
  };
  return std::any_of(found.names.begin(), found.names.end(), names_origin);
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

void ElfFile::require_one_export(std::string_view name) const {
  const Dynamic found = dynamic();
  const auto table_at = [&](std::uint64_t address, const char* what) {
    return loaded_at(address, ElfDefect::bad_symbols, what);
  };
  SymbolRange range;
  if (found.gnu_hash != 0)
    range = symbols_of_gnu_hash(table_at(found.gnu_hash, "the symbol hash table"));
  else if (found.hash != 0)
    range = symbols_of_hash(table_at(found.hash, "the symbol hash table"));
  Exports exports;
  if (range.first < range.end)
    exports = exports_of(table_at(found.symbols, "the symbol table"), strings_of(found), range, name);

  const std::string expected = "; expected the function " + std::string(name);
  const std::size_t untold = exports.others - std::min(exports.others, kMostNamesToTell);
  if (exports.others > 0)
    throw ElfError(ElfDefect::exports, "exports " + exports.names +
                                           (untold > 0 ? " and " + std::to_string(untold) + " more" : "") + expected +
                                           " alone. Link it with mixop_add_plugin(), or with a version script that "
                                           "hides all else");
  if (!exports.complete)
    throw ElfError(ElfDefect::exports, "exports nothing" + expected + ". Use MIXOP_PLUGIN in one source file");
}

}  // namespace mixop
