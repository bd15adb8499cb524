#pragma once

#include <elf.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mixop/abi/note.h"
#include "mixop/abi/plugin.h"

namespace mixop::test {

/// A note of a plugin that the host `plain_host()` of the tests accepts: tier none, a data set.
inline MixopNote plain_note() {
  return {6, 44, MIXOP_NOTE_TYPE, MIXOP_NOTE_NAME, 1, 0, MIXOP_KIND_DATASET, MIXOP_TIER_NONE, MIXOP_FLAG_CXX11_ABI, 0,
          0, 0, {}};
}

/// A dynamic symbol: by default the one that plugins export.
struct ElfSymbol {
  std::string name = MIXOP_PLUGIN_SYMBOL;
  unsigned char type = STT_FUNC;
  unsigned char binding = STB_GLOBAL;
  unsigned char visibility = STV_DEFAULT;
  std::uint16_t section = 1;
};

/// A minimal shared library in memory, without sections: one loaded segment that is the whole file at address 0, a
/// dynamic segment and a note segment. Its tables come in this order: dynamic section, symbols, hash table, strings,
/// notes.
class ElfBuilder {
 public:
  std::vector<std::pair<std::int64_t, std::string>> names;  ///< DT_RUNPATH, DT_RPATH, DT_NEEDED
  std::vector<std::vector<std::byte>> notes;
  std::uint64_t note_alignment = 4;
  std::vector<ElfSymbol> symbols = {ElfSymbol{}};
  bool gnu_hash = true;  ///< or the older table

  ElfBuilder& add(const MixopNote& note) { return add_bytes(&note, sizeof note); }
  ElfBuilder& add_bytes(const void* bytes, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(bytes);
    notes.emplace_back(begin, begin + size);
    return *this;
  }

  std::vector<std::byte> build() const {
    std::string strings(1, '\0');
    std::vector<Elf64_Dyn> dynamic;
    for (const auto& [tag, text] : names) {
      dynamic.push_back({tag, {strings.size()}});
      strings += text + '\0';
    }
    std::vector<Elf64_Sym> table(1);
    for (const ElfSymbol& symbol : symbols) {
      table.push_back({static_cast<Elf64_Word>(strings.size()),
                       static_cast<unsigned char>(ELF64_ST_INFO(symbol.binding, symbol.type)), symbol.visibility,
                       symbol.section, 0, 0});
      strings += symbol.name + '\0';
    }
    const std::vector<std::uint32_t> hash = hash_table();

    const std::uint64_t dynamic_size = (dynamic.size() + 5) * sizeof(Elf64_Dyn);
    const std::uint64_t symbols_at = dynamic_at() + dynamic_size;
    const std::uint64_t hash_at = symbols_at + table.size() * sizeof(Elf64_Sym);
    const std::uint64_t strings_at = hash_at + hash.size() * sizeof(std::uint32_t);
    const std::uint64_t notes_at = (strings_at + strings.size() + 7) / 8 * 8;
    dynamic.push_back({DT_STRTAB, {strings_at}});
    dynamic.push_back({DT_STRSZ, {strings.size()}});
    dynamic.push_back({DT_SYMTAB, {symbols_at}});
    dynamic.push_back({gnu_hash ? DT_GNU_HASH : DT_HASH, {hash_at}});
    dynamic.push_back({DT_NULL, {0}});

    std::vector<std::byte> bytes(notes_at);
    for (const auto& note : notes) bytes.insert(bytes.end(), note.begin(), note.end());
    const std::uint64_t notes_size = bytes.size() - notes_at;

    put(bytes, 0, header());
    put(bytes, sizeof(Elf64_Ehdr), segment(PT_LOAD, 0, bytes.size(), 4096));
    put(bytes, sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), segment(PT_DYNAMIC, dynamic_at(), dynamic_size, 8));
    put(bytes, note_segment_at(), segment(PT_NOTE, notes_at, notes_size, note_alignment));
    for (std::size_t i = 0; i < dynamic.size(); ++i) put(bytes, dynamic_at() + i * sizeof(Elf64_Dyn), dynamic[i]);
    for (std::size_t i = 0; i < table.size(); ++i) put(bytes, symbols_at + i * sizeof(Elf64_Sym), table[i]);
    for (std::size_t i = 0; i < hash.size(); ++i) put(bytes, hash_at + i * sizeof(std::uint32_t), hash[i]);
    std::memcpy(bytes.data() + strings_at, strings.data(), strings.size());
    return bytes;
  }

  static constexpr std::uint64_t dynamic_segment_at() { return sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr); }
  /// Where the dynamic section begins: `names`, then string table, its size, symbol table, hash table.
  static constexpr std::uint64_t dynamic_at() { return sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr); }
  static constexpr std::uint64_t note_segment_at() { return sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr); }

 private:
  // One bucket that holds all symbols but the first, which is none.
  std::vector<std::uint32_t> hash_table() const {
    const auto count = static_cast<std::uint32_t>(symbols.size());
    const std::uint32_t first = count == 0 ? 0 : 1;
    if (!gnu_hash) return {1, count + 1, first};
    std::vector<std::uint32_t> words = {1, 1, 1, 0, ~0U, ~0U, first};
    for (std::uint32_t i = 0; i < count; ++i) words.push_back(i + 1 == count ? 1 : 0);
    return words;
  }
  static Elf64_Ehdr header() {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_DYN;
#if defined(__aarch64__)
    header.e_machine = EM_AARCH64;
#else
    header.e_machine = EM_X86_64;
#endif
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 3;
    return header;
  }
  static Elf64_Phdr segment(std::uint32_t type, std::uint64_t offset, std::uint64_t size, std::uint64_t alignment) {
    Elf64_Phdr segment{};
    segment.p_type = type;
    segment.p_offset = segment.p_vaddr = offset;
    segment.p_filesz = segment.p_memsz = size;
    segment.p_align = alignment;
    return segment;
  }
  template <class T>
  static void put(std::vector<std::byte>& bytes, std::uint64_t offset, const T& value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
};

/// Overwrites a field of a built file.
template <class T>
void poke(std::vector<std::byte>& bytes, std::uint64_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace mixop::test
