// Whatever bytes the reader of notes gets, it returns or throws ElfError: mutations of plugins and of libraries built
// by hand, each in a buffer of its own size, so that the sanitizers see every access outside it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "host/plugins/elf_note.hpp"
#include "mixop/abi/plugin.h"
#include "mixop/random.hpp"
#include "tests/host/plugins/elf_builder.hpp"

namespace {

using mixop::ElfDefect;
using mixop::RandomStream;
using mixop::test::ElfBuilder;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kSeed = 20261;
constexpr std::array<const char*, 12> kDefects = {"not_elf",     "wrong_format", "wrong_machine", "not_shared",
                                                  "bad_headers", "bad_dynamic",  "search_path",   "no_note",
                                                  "two_notes",   "bad_note",     "bad_symbols",   "exports"};
static_assert(kDefects.size() == static_cast<std::size_t>(ElfDefect::exports) + 1);

// A file and the places in it that its reader looks at.
struct Input {
  Bytes bytes;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> read;  // offset, size
};

template <class T>
T at(const Bytes& bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The tables lie in the first loaded segment of all inputs, where addresses are offsets.
void add_tables(Input& input, const Elf64_Phdr& dynamic) {
  for (std::uint64_t i = 0; i < dynamic.p_filesz / sizeof(Elf64_Dyn); ++i) {
    const auto entry = at<Elf64_Dyn>(input.bytes, dynamic.p_offset + i * sizeof(Elf64_Dyn));
    const bool table =
        entry.d_tag == DT_GNU_HASH || entry.d_tag == DT_HASH || entry.d_tag == DT_SYMTAB || entry.d_tag == DT_STRTAB;
    if (table && entry.d_un.d_ptr + 256 < input.bytes.size()) input.read.emplace_back(entry.d_un.d_ptr, 256);
  }
}

Input input_of(Bytes bytes) {
  Input input{std::move(bytes), {}};
  const auto header = at<Elf64_Ehdr>(input.bytes, 0);
  input.read.emplace_back(0, sizeof header);
  input.read.emplace_back(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = at<Elf64_Phdr>(input.bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if ((segment.p_type == PT_NOTE || segment.p_type == PT_DYNAMIC) && segment.p_filesz > 0)
      input.read.emplace_back(segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_DYNAMIC) add_tables(input, segment);
  }
  return input;
}

Bytes content_of(const char* name) {
  std::ifstream file(name, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  if (chars.size() < sizeof(Elf64_Ehdr)) {
    std::fprintf(stderr, "%s: expected a plugin, found %zu bytes\n", name, chars.size());
    std::exit(2);
  }
  const auto* begin = reinterpret_cast<const std::byte*>(chars.data());
  return {begin, begin + chars.size()};
}

void add_built(std::vector<Input>& inputs) {
  ElfBuilder builder;
  builder.add(mixop::test::plain_note());
  inputs.push_back(input_of(builder.build()));
  builder.gnu_hash = false;
  builder.names = {{DT_RUNPATH, "$ORIGIN/lib:$ORIGIN"}, {DT_NEEDED, "libc.so.6"}};
  inputs.push_back(input_of(builder.build()));
  builder.add(mixop::test::plain_note());
  inputs.push_back(input_of(builder.build()));
  builder.notes.clear();
  inputs.push_back(input_of(builder.build()));
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& inputs) : inputs_(inputs), random_(kSeed) {}

  Bytes next() {
    const Input& input = inputs_[random_.below(inputs_.size())];
    Bytes bytes = input.bytes;
    for (std::uint64_t changes = 1 + random_.below(3); changes > 0 && !bytes.empty(); --changes) change(bytes, input);
    return bytes;
  }

 private:
  // Three in four changes go where the reader looks.
  std::uint64_t place(const Bytes& bytes, const Input& input) {
    if (random_.below(4) != 0) {
      const auto [offset, size] = input.read[random_.below(input.read.size())];
      const std::uint64_t at = offset + random_.below(size);
      if (at < bytes.size()) return at;
    }
    return random_.below(bytes.size());
  }

  // A value that a field's arithmetic may not expect.
  std::uint64_t value(const Bytes& bytes) {
    const std::uint64_t power = std::uint64_t{1} << random_.below(64);
    switch (random_.below(6)) {
      case 0:
        return random_.next();
      case 1:
        return random_.below(16);
      case 2:
        return 0 - random_.below(16);
      case 3:
        return power - random_.below(3);
      case 4:
        return bytes.size() - random_.below(64);
      default:
        return random_.below(bytes.size() + 1);
    }
  }

  void set(Bytes& bytes, std::uint64_t at, std::uint64_t value, std::size_t size) {
    at -= at % size;
    if (at + size <= bytes.size()) std::memcpy(bytes.data() + at, &value, size);
  }

  void change(Bytes& bytes, const Input& input) {
    const std::uint64_t at = place(bytes, input);
    switch (random_.below(8)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1U << random_.below(8));
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random_.next());
        break;
      case 2:
        set(bytes, at, value(bytes), 2);
        break;
      case 3:
        set(bytes, at, value(bytes), 4);
        break;
      case 4:
        set(bytes, at, value(bytes), 8);
        break;
      case 5:
        bytes.resize(random_.below(4) == 0 ? at
                                           : bytes.size() - random_.below(std::min<std::size_t>(64, bytes.size())));
        break;
      default:
        splice(bytes, at);
    }
  }

  // Bytes of another place or another input.
  void splice(Bytes& bytes, std::uint64_t at) {
    const Input& other = inputs_[random_.below(inputs_.size())];
    const std::uint64_t from = place(other.bytes, other);
    const std::uint64_t size = std::min({1 + random_.below(96), bytes.size() - at, other.bytes.size() - from});
    std::memcpy(bytes.data() + at, other.bytes.data() + from, size);
  }

  const std::vector<Input>& inputs_;
  RandomStream random_;
};

// All that the loader reads; returns the defect, or nothing where the bytes are accepted.
std::optional<ElfDefect> read(std::span<const std::byte> bytes) {
  try {
    const mixop::ElfFile file(bytes);
    file.require_safe_search_paths();
    file.note();
    file.require_one_export(MIXOP_PLUGIN_SYMBOL);
    return std::nullopt;
  } catch (const mixop::ElfError& error) {
    return error.defect();
  }
}

}  // namespace

int main(int count, char** values) {
  if (count < 3) {
    std::fprintf(stderr, "usage: mixop_note_mutations COUNT PLUGIN...\n");
    return 2;
  }
  const std::uint64_t rounds = std::strtoull(values[1], nullptr, 10);
  std::vector<Input> inputs;
  for (int i = 2; i < count; ++i) inputs.push_back(input_of(content_of(values[i])));
  add_built(inputs);

  Mutator mutator(inputs);
  std::array<std::uint64_t, kDefects.size()> refused{};
  std::uint64_t accepted = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const Bytes mutant = mutator.next();
    const auto exact = std::make_unique<std::byte[]>(mutant.size());
    std::copy(mutant.begin(), mutant.end(), exact.get());
    if (const auto defect = read({exact.get(), mutant.size()}))
      ++refused[static_cast<std::size_t>(*defect)];
    else
      ++accepted;
  }

  std::size_t reached = 0;
  for (std::size_t i = 0; i < kDefects.size(); ++i) {
    std::printf("%-14s %llu\n", kDefects[i], static_cast<unsigned long long>(refused[i]));
    reached += refused[i] > 0 ? 1 : 0;
  }
  // Another exception, or a sanitizer's report, has ended the program by now.
  std::printf(
      "figure: %llu mutations of %zu inputs: %llu accepted, %llu refused, 0 reports; %zu of %zu defects reached\n",
      static_cast<unsigned long long>(rounds), inputs.size(), static_cast<unsigned long long>(accepted),
      static_cast<unsigned long long>(rounds - accepted), reached, kDefects.size());
  return reached == kDefects.size() && accepted > 0 ? 0 : 1;
}
