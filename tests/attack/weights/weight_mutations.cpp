// Whatever a file of weights or a subnet of MMRazor holds, its readers return or throw bad_data, and allocate no more
// than the file is worth: mutations of small files of each kind for so many seconds, under the sanitizers.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "host/genotype/genotype_subnet.hpp"
#include "host/weights/weight_file.hpp"
#include "host/weights/zip_file.hpp"
#include "mixop/error.hpp"
#include "mixop/random.hpp"
#include "tests/support/legacy_torch.hpp"

// An allocation beyond this ends the program. The largest honest one is a pickle's 2 million opcodes.
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=512:detect_leaks=1"; }

namespace {

using mixop::NamedValues;
using mixop::RandomStream;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kSeed = 20262;

std::vector<NamedValues> sample() {
  std::vector<NamedValues> tensors;
  for (const auto type : {mixop::WeightType::float32, mixop::WeightType::int64, mixop::WeightType::float16}) {
    NamedValues one{{"layer." + std::to_string(tensors.size()), type, {2, 3}}, {}};
    one.bytes.resize(one.entry.bytes(), std::byte{1});
    tensors.push_back(one);
  }
  return tensors;
}

/// A zip archive as torch.save's, around a pickle.
Bytes zipped(const Bytes& pickle) {
  return mixop::zip_archive({{"a/data.pkl", pickle},
                             {"a/data/0", mixop::test::bytes_of(mixop::test::sample_values())},
                             {"a/byteorder", mixop::test::bytes_of("little")}});
}

std::vector<Bytes> seeds_of(const std::string& kind) {
  if (kind == "pickle") return {mixop::test::bytes_of(mixop::test::sample_pickle())};
  if (kind == "torch")
    return {mixop::torch_file(sample()), zipped(mixop::test::bytes_of(mixop::test::sample_pickle()))};
  if (kind == "legacy") return {mixop::test::bytes_of(mixop::test::legacy_file())};
  if (kind == "subnet")
    return {mixop::test::bytes_of(
        "normal_n2:\n  chosen:\n  - normal_n2_p0\n  - normal_n2_p1\nnormal_n2_p0: {chosen: [sep_conv_3x3]}\n"
        "normal_n2_p1:\n  chosen: skip_connect\nnormal_n3:\n  chosen: []\n")};
  if (kind == "safetensors") return {mixop::safetensors_file(sample(), {{"format", "pt"}})};
  return {};
}

/// One to four changes: a bit, a byte, a number that arithmetic may not expect, a piece moved or repeated, a cut.
class Mutator {
 public:
  explicit Mutator(std::vector<Bytes> seeds) : seeds_(std::move(seeds)), random_(kSeed) {}

  Bytes next() {
    Bytes bytes = seeds_[random_.below(seeds_.size())];
    for (std::uint64_t changes = 1 + random_.below(4); changes > 0 && !bytes.empty(); --changes) change(bytes);
    return bytes;
  }

 private:
  void change(Bytes& bytes) {
    const std::uint64_t at = random_.below(bytes.size());
    switch (random_.below(6)) {
      case 0:
        bytes[at] ^= static_cast<std::byte>(1U << random_.below(8));
        return;
      case 1:
        bytes[at] = static_cast<std::byte>(random_.next());
        return;
      case 2:
        return set(bytes, at, std::size_t{1} << random_.below(4));
      case 3:
        bytes.resize(at);
        return;
      case 4: {
        const Bytes piece = piece_of(seeds_[random_.below(seeds_.size())]);
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
        return;
      }
      default: {
        const std::uint64_t size = 1 + random_.below(std::min<std::uint64_t>(32, bytes.size() - at));
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, bytes.size())));
      }
    }
  }

  Bytes piece_of(const Bytes& bytes) {
    const std::uint64_t from = random_.below(bytes.size()),
                        size = 1 + random_.below(std::min<std::uint64_t>(64, bytes.size() - from));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }

  void set(Bytes& bytes, std::uint64_t at, std::size_t size) {
    const std::uint64_t power = std::uint64_t{1} << random_.below(64);
    const std::uint64_t value = random_.below(2) == 0 ? power - random_.below(3) : 0 - random_.below(16);
    if (at + size <= bytes.size()) std::memcpy(bytes.data() + at, &value, size);
  }

  std::vector<Bytes> seeds_;
  RandomStream random_;
};

/// A file in memory, of a name under which it is opened.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("weights", MFD_CLOEXEC)), name_("/proc/self/fd/" + std::to_string(file_)) {
    if (file_ < 0) std::perror("memfd_create"), std::exit(2);
  }
  ~MemoryFile() { ::close(file_); }
  const std::string& name() const { return name_; }
  void hold(const Bytes& bytes) {
    if (::ftruncate(file_, 0) != 0 ||
        ::pwrite(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      std::perror("writing"), std::exit(2);
  }

 private:
  int file_;
  std::string name_;
};

void read_weights(const std::string& file) {
  const auto opened = mixop::WeightFile::open(file);
  for (std::size_t i = 0; i < opened->entries().size(); ++i)
    if (opened->read(i).size() != opened->entries()[i].bytes())
      std::fputs("a tensor of another size\n", stderr), std::abort();
}

/// Empty, or why reading a file was refused, without the numbers and names in it.
template <class Read>
std::string refusal_of(const std::string& file, const Read& read) {
  try {
    read();
    return "";
  } catch (const mixop::Error& error) {
    if (error.code() != mixop::ErrorCode::bad_data) std::fprintf(stderr, "%s\n", error.what()), std::abort();
    std::string text = std::string(error.what()).substr(file.size());
    std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text.substr(0, 60);
  }
}

}  // namespace

int main(int count, char** values) {
  const std::vector<Bytes> seeds = count == 3 ? seeds_of(values[1]) : std::vector<Bytes>();
  if (seeds.empty()) {
    std::fprintf(stderr, "usage: mixop_weight_mutations pickle|torch|legacy|safetensors|subnet SECONDS\n");
    return 2;
  }
  const std::string kind = values[1];
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::strtoll(values[2], nullptr, 10));
  MemoryFile file;
  const auto refusal_for = [&](const Bytes& bytes) {
    if (kind == "subnet")
      return refusal_of(kind, [&] {
        (void)mixop::genotype_of_subnet({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kind,
                                        mixop::ErrorCode::bad_data);
      });
    file.hold(kind == "pickle" ? zipped(bytes) : bytes);
    return refusal_of(file.name(), [&] { read_weights(file.name()); });
  };
  for (const Bytes& seed : seeds) {
    if (const std::string refusal = refusal_for(seed); !refusal.empty()) {
      std::printf("a sound file is refused%s\n", refusal.c_str());
      return 1;
    }
  }
  Mutator mutator(seeds);
  std::uint64_t rounds = 0, accepted = 0;
  std::map<std::string, std::uint64_t> refusals;
  for (; std::chrono::steady_clock::now() < end; ++rounds) {
    if (const std::string refusal = refusal_for(mutator.next()); refusal.empty())
      ++accepted;
    else
      ++refusals[refusal];
  }
  // Another exception, or a sanitizer's report, has ended the program by now.
  std::printf("figure: %s: %llu mutations: %llu accepted, %llu refused for %zu reasons, 0 reports\n", values[1],
              static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(accepted),
              static_cast<unsigned long long>(rounds - accepted), refusals.size());
  return accepted > 0 && refusals.size() >= 10 ? 0 : 1;
}
