#include "host/plugins/elf_note.hpp"

#include <string>

#include "mixop/random.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/elf_builder.hpp"

using Catch::Contains;
using mixop::ElfDefect;
using mixop::ElfError;
using mixop::ElfFile;
using mixop::test::ElfBuilder;
using mixop::test::ElfSymbol;
using mixop::test::plain_note;
using mixop::test::poke;

namespace {

using Bytes = std::vector<std::byte>;

// Reads all that the loader reads.
MixopNote read(const Bytes& bytes) {
  const ElfFile file(bytes);
  file.require_safe_search_paths();
  const MixopNote note = file.note();
  file.require_one_export(MIXOP_PLUGIN_SYMBOL);
  return note;
}

void require_defect(const Bytes& bytes, ElfDefect defect, const std::string& message) {
  try {
    read(bytes);
  } catch (const ElfError& error) {
    CHECK_THAT(error.what(), Contains(message));
    CHECK(static_cast<int>(error.defect()) == static_cast<int>(defect));
    return;
  }
  FAIL("accepted; expected: " << message);
}

Bytes plain() { return ElfBuilder().add(plain_note()).build(); }

Bytes with_name(std::int64_t tag, const std::string& text) {
  ElfBuilder builder;
  builder.names.emplace_back(tag, text);
  return builder.add(plain_note()).build();
}

// Another owner's note, as compilers and linkers write them.
constexpr std::uint32_t kOtherNote[] = {4, 4, 3, 0x00554e47, 0x12345678};

}  // namespace

TEST_CASE("the note of a shared library without sections is read", "[plugins][elf]") {
  MixopNote written = plain_note();
  written.kinds = 5;
  written.libtorch_version = 0x020b00;
  ElfBuilder builder;
  builder.add_bytes(kOtherNote, sizeof kOtherNote).add(written).add_bytes(kOtherNote, sizeof kOtherNote);
  const MixopNote found = read(builder.build());
  CHECK(std::memcmp(&found, &written, sizeof found) == 0);
}

TEST_CASE("a note in a segment aligned to eight bytes is read", "[plugins][elf]") {
  // Name and description begin at multiples of eight: four more bytes after the name.
  Bytes note(68);
  const MixopNote written = plain_note();
  std::memcpy(note.data(), &written, 20);
  std::memcpy(note.data() + 24, &written.abi_major, 44);
  ElfBuilder builder;
  builder.note_alignment = 8;
  CHECK(read(builder.add_bytes(note.data(), note.size()).build()).kinds == MIXOP_KIND_DATASET);
}

TEST_CASE("a file that is no ELF file is refused", "[plugins][elf]") {
  require_defect({}, ElfDefect::not_elf, "expected an ELF shared library, found an empty file");
  require_defect(Bytes(200), ElfDefect::not_elf, "expected an ELF shared library, found another kind of file");
}

TEST_CASE("an ELF file of another format is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  poke<unsigned char>(bytes, EI_CLASS, ELFCLASS32);
  require_defect(bytes, ElfDefect::wrong_format,
                 "expected a 64-bit little-endian ELF file of version 1, found class 1, byte order 1, version 1");
  bytes = plain();
  poke<unsigned char>(bytes, EI_DATA, ELFDATA2MSB);
  require_defect(bytes, ElfDefect::wrong_format, "found class 2, byte order 2, version 1");
}

TEST_CASE("an ELF file for another processor is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  poke<std::uint16_t>(bytes, offsetof(Elf64_Ehdr, e_machine), EM_RISCV);
  require_defect(bytes, ElfDefect::wrong_machine, "found 243");
}

TEST_CASE("a program or an object file is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  poke<std::uint16_t>(bytes, offsetof(Elf64_Ehdr, e_type), ET_REL);
  require_defect(bytes, ElfDefect::not_shared, "expected a shared library (ELF type 3), found type 1");
}

TEST_CASE("program headers that do not fit are refused", "[plugins][elf]") {
  Bytes bytes = plain();
  poke<std::uint16_t>(bytes, offsetof(Elf64_Ehdr, e_phentsize), 32);
  require_defect(bytes, ElfDefect::bad_headers, "expected 1 to 256 program headers of 56 bytes, found 3 of 32 bytes");
  bytes = plain();
  poke<std::uint16_t>(bytes, offsetof(Elf64_Ehdr, e_phnum), 0xffff);
  require_defect(bytes, ElfDefect::bad_headers, "found 65535 of 56 bytes");
  bytes = plain();
  poke<std::uint64_t>(bytes, offsetof(Elf64_Ehdr, e_phoff), 0xffffffffffffffc0ULL);
  require_defect(bytes, ElfDefect::bad_headers, "3 program headers at offset 18446744073709551552 do not fit");
}

TEST_CASE("a segment that ends outside the file is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  poke<std::uint64_t>(bytes, ElfBuilder::note_segment_at() + offsetof(Elf64_Phdr, p_filesz), 0xffffffffffffff00ULL);
  require_defect(bytes, ElfDefect::bad_headers, "ends outside a file of");
}

TEST_CASE("a note segment of unreasonable size is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  bytes.resize(std::size_t{2} << 20);
  poke<std::uint64_t>(bytes, ElfBuilder::note_segment_at() + offsetof(Elf64_Phdr, p_filesz), (1U << 20) + 1);
  require_defect(bytes, ElfDefect::bad_headers, "segment 2 has 1048577 bytes; expected at most 1048576");
}

TEST_CASE("a header that is cut off is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  bytes.resize(40);
  require_defect(bytes, ElfDefect::bad_headers, "offset 0 is past the end of a file of 40 bytes");
}

TEST_CASE("search paths beside the library are accepted", "[plugins][elf]") {
  for (const char* path : {"", "$ORIGIN", "$ORIGIN/lib..", "${ORIGIN}/deps:$ORIGIN"}) {
    CHECK_NOTHROW(read(with_name(DT_RUNPATH, path)));
    CHECK_NOTHROW(read(with_name(DT_RPATH, path)));
  }
  CHECK_NOTHROW(read(with_name(DT_NEEDED, "libc.so.6")));
}

TEST_CASE("a search path elsewhere is refused", "[plugins][elf]") {
  require_defect(with_name(DT_RUNPATH, "/opt/lib"), ElfDefect::search_path,
                 "RUNPATH '/opt/lib' searches '/opt/lib'; expected none, or entries that begin with $ORIGIN and have "
                 "no '..'");
  require_defect(with_name(DT_RPATH, "$ORIGIN:lib"), ElfDefect::search_path, "RPATH '$ORIGIN:lib' searches 'lib'");
  require_defect(with_name(DT_RUNPATH, "$ORIGIN:"), ElfDefect::search_path, "searches the current directory");
  require_defect(with_name(DT_RUNPATH, "$ORIGINAL"), ElfDefect::search_path, "searches '$ORIGINAL'");
}

TEST_CASE("a search path that climbs out of the library's folder is refused", "[plugins][elf]") {
  for (const std::string path : {"$ORIGIN/..", "$ORIGIN/../lib", "${ORIGIN}/deps/../../../../tmp", "$ORIGIN//../lib"})
    for (const std::int64_t tag : {DT_RUNPATH, DT_RPATH})
      require_defect(with_name(tag, "$ORIGIN:" + path), ElfDefect::search_path, "searches '" + path + "'; expected");
}

TEST_CASE("a library with a folder is refused, needed or filtered", "[plugins][elf]") {
  require_defect(with_name(DT_NEEDED, "./libevil.so"), ElfDefect::search_path,
                 "needs the library './libevil.so'; expected a name without a folder");
  require_defect(with_name(DT_NEEDED, "$ORIGIN/../libevil.so"), ElfDefect::search_path,
                 "needs the library '$ORIGIN/../libevil.so'; expected a name without a folder");
  for (const std::int64_t tag : {DT_AUXILIARY, DT_FILTER}) {
    require_defect(with_name(tag, "/tmp/libevil.so"), ElfDefect::search_path,
                   "is a filter of the library '/tmp/libevil.so'; expected a name without a folder");
    CHECK_NOTHROW(read(with_name(tag, "libm.so.6")));
  }
}

TEST_CASE("a dynamic section that points outside the file is refused", "[plugins][elf]") {
  Bytes bytes = plain();
  poke<std::uint64_t>(bytes, ElfBuilder::dynamic_segment_at() + offsetof(Elf64_Phdr, p_vaddr), 1U << 30);
  require_defect(bytes, ElfDefect::bad_dynamic, "the dynamic section at address 1073741824");
  bytes = plain();
  poke<std::uint32_t>(bytes, ElfBuilder::dynamic_segment_at(), PT_NULL);
  require_defect(bytes, ElfDefect::bad_dynamic, "expected one dynamic segment");

  // Entry 0 is the name, 1 the string table, 2 its size.
  const std::uint64_t entries = ElfBuilder::dynamic_at();
  bytes = with_name(DT_RUNPATH, "$ORIGIN");
  poke<std::uint64_t>(bytes, entries + 8, 1000);
  require_defect(bytes, ElfDefect::bad_dynamic, "a name at 1000 of a string table of 25 bytes");
  bytes = with_name(DT_RUNPATH, "$ORIGIN");
  poke<std::uint64_t>(bytes, entries + 2 * sizeof(Elf64_Dyn) + 8, 4);
  require_defect(bytes, ElfDefect::bad_dynamic, "a name in the string table does not end within 3 bytes");
  bytes = with_name(DT_RUNPATH, "$ORIGIN");
  poke<std::uint64_t>(bytes, entries + sizeof(Elf64_Dyn) + 8, 0xfffffffffffffff0ULL);
  require_defect(bytes, ElfDefect::bad_dynamic, "the string table at address 18446744073709551600");
  bytes = with_name(DT_RUNPATH, "$ORIGIN");
  poke<std::uint64_t>(bytes, entries + 2 * sizeof(Elf64_Dyn) + 8, 5000);
  require_defect(bytes, ElfDefect::bad_dynamic,
                 "the string table of 5000 bytes is longer than the rest of its segment");
  bytes = plain();
  poke<std::uint64_t>(bytes, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), entries + 16);
  require_defect(bytes, ElfDefect::bad_dynamic,
                 "the dynamic section of 80 bytes is longer than the rest of its segment, 16");
}

TEST_CASE("a library without mixop's note is refused", "[plugins][elf]") {
  require_defect(ElfBuilder().build(), ElfDefect::no_note,
                 "has no .note.mixop note; expected one: build it with mixop_add_plugin()");
  require_defect(ElfBuilder().add_bytes(kOtherNote, sizeof kOtherNote).build(), ElfDefect::no_note,
                 "has no .note.mixop");
}

TEST_CASE("a library with two notes of mixop is refused", "[plugins][elf]") {
  require_defect(ElfBuilder().add(plain_note()).add(plain_note()).build(), ElfDefect::two_notes,
                 "has more than one .note.mixop note; expected one: use MIXOP_PLUGIN in one source file");
}

TEST_CASE("a malformed note is refused", "[plugins][elf]") {
  MixopNote note = plain_note();
  note.desc_size = 40;
  require_defect(ElfBuilder().add(note).build(), ElfDefect::bad_note,
                 "expected a note of type 1 with 44 bytes, found type 1 with 40");
  note = plain_note();
  note.type = 2;
  require_defect(ElfBuilder().add(note).build(), ElfDefect::bad_note, "found type 2 with 44");
  note = plain_note();
  note.desc_size = 0xfffffff0;
  require_defect(ElfBuilder().add(note).build(), ElfDefect::bad_note, "is longer than the rest of its segment, 64");
  note = plain_note();
  note.name_size = 0xffffffff;
  require_defect(ElfBuilder().add(note).build(), ElfDefect::bad_note, "is longer than the rest of its segment, 64");
}

TEST_CASE("the one export is found through both kinds of hash table", "[plugins][elf]") {
  ElfBuilder builder;
  builder.add(plain_note());
  for (const bool gnu : {true, false}) {
    builder.gnu_hash = gnu;
    CHECK_NOTHROW(read(builder.build()));
  }
}

TEST_CASE("symbols that the loader does not offer are no exports", "[plugins][elf]") {
  ElfBuilder builder;
  builder.add(plain_note());
  builder.symbols.push_back({"needed", STT_FUNC, STB_GLOBAL, STV_DEFAULT, SHN_UNDEF});
  builder.symbols.push_back({"local", STT_FUNC, STB_LOCAL});
  builder.symbols.push_back({"hidden", STT_FUNC, STB_GLOBAL, STV_HIDDEN});
  CHECK_NOTHROW(read(builder.build()));
}

TEST_CASE("a library that exports more than the one function is refused", "[plugins][elf]") {
  ElfBuilder builder;
  builder.add(plain_note());
  builder.symbols.push_back({"more", STT_OBJECT, STB_WEAK, STV_PROTECTED});
  require_defect(
      builder.build(), ElfDefect::exports,
      "exports 'more'; expected the function mixop_plugin_v1 alone. Link it with mixop_add_plugin(), or with "
      "a version script that hides all else");
  for (const char* name : {"a", "b", "c", "d"}) builder.symbols.push_back({name});
  require_defect(builder.build(), ElfDefect::exports, "exports 'more', 'a', 'b' and 2 more; expected");
  builder.gnu_hash = false;
  require_defect(builder.build(), ElfDefect::exports, "exports 'more', 'a', 'b' and 2 more; expected");
}

TEST_CASE("a library that does not export the one function is refused", "[plugins][elf]") {
  ElfBuilder builder;
  builder.add(plain_note());
  builder.symbols.clear();
  for (const bool gnu : {true, false}) {
    builder.gnu_hash = gnu;
    require_defect(builder.build(), ElfDefect::exports,
                   "exports nothing; expected the function mixop_plugin_v1. Use MIXOP_PLUGIN in one source file");
  }
  builder.symbols = {{MIXOP_PLUGIN_SYMBOL, STT_OBJECT}};
  require_defect(builder.build(), ElfDefect::exports, "exports 'mixop_plugin_v1'; expected the function");
}

TEST_CASE("symbol tables that end early are refused", "[plugins][elf]") {
  // Entries 0 and 1 are the string table, 2 the symbol table, 3 the hash table, whose first word counts its buckets.
  const std::uint64_t symbols = ElfBuilder::dynamic_at() + 2 * sizeof(Elf64_Dyn) + 8;
  const std::uint64_t hash = symbols + sizeof(Elf64_Dyn);
  const auto address = [](const Bytes& bytes, std::uint64_t entry) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + entry, sizeof value);
    return value;
  };
  Bytes bytes = plain();
  poke<std::uint64_t>(bytes, hash, 1U << 30);
  require_defect(bytes, ElfDefect::bad_symbols, "the symbol hash table at address 1073741824 is in no loaded segment");
  bytes = plain();
  poke<std::uint64_t>(bytes, symbols, 1U << 30);
  require_defect(bytes, ElfDefect::bad_symbols, "the symbol table at address 1073741824 is in no loaded segment");
  bytes = plain();
  poke<std::uint64_t>(bytes, symbols, bytes.size() - 30);
  require_defect(bytes, ElfDefect::bad_symbols, "the symbol table ends before its entry 1");
  bytes = plain();
  poke<std::uint32_t>(bytes, address(bytes, hash), 0xffffffff);
  require_defect(bytes, ElfDefect::bad_symbols, "the symbol hash table ends before its entry ");
  bytes = plain();
  poke<std::uint32_t>(bytes, address(bytes, hash) + 8, 0xffffffff);
  require_defect(bytes, ElfDefect::bad_symbols, "the symbol hash table ends before its entry 8589934594");
  bytes = plain();
  poke<std::uint32_t>(bytes, address(bytes, symbols) + sizeof(Elf64_Sym), 1000);
  require_defect(bytes, ElfDefect::bad_symbols, "a name at 1000 of a string table of 17 bytes");
}

TEST_CASE("no mutation of a library is read outside its bytes", "[plugins][elf]") {
  ElfBuilder builder;
  builder.names = {{DT_RUNPATH, "$ORIGIN"}, {DT_NEEDED, "libc.so.6"}};
  const Bytes whole = builder.add_bytes(kOtherNote, sizeof kOtherNote).add(plain_note()).build();
  mixop::RandomStream random(1);
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = whole;
    if (random.below(4) == 0) bytes.resize(random.below(whole.size()));
    for (std::uint64_t changes = random.below(4); changes > 0 && !bytes.empty(); --changes)
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    try {
      read(bytes);
    } catch (const ElfError&) {
      ++refused;
    }
  }
  // Anything else than ElfError, or a sanitizer's report, has failed the test by now.
  CHECK(refused > 5000);
  CHECK(refused < 20000);
}
