// archive_mutations COUNT SEED FOLDER: whatever an archive holds behind a right digest, Archive::open reads or refuses
// it, in the time and memory that it promises. Archives that mixop wrote and files in HDF5's oldest and newest formats
// are changed at random, three times of four where HDF5 keeps its structure; the checksums of that structure and the
// digest are made right again, so that nothing but HDF5's parser is in the way. Ends with 1 where anything else
// happened than an archive read or a refusal as bad data; a signal ends it as it ends a reading command.
#include <hdf5_hl.h>
#include <sys/resource.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>

#include "host/archive/archive.hpp"
#include "host/archive/file.hpp"
#include "host/archive/hdf5.hpp"
#include "host/archive/user_block.hpp"
#include "mixop/random.hpp"

/// HDF5's checksum of its structure, which the library exports without declaring it.
extern "C" std::uint32_t H5_checksum_lookup3(const void* data, std::size_t size, std::uint32_t start);

namespace {

using namespace mixop;
using hdf5::Handle;
using Bytes = std::vector<std::byte>;

/// Bytes [start, end), and their checksum behind them.
struct Structure {
  std::size_t start, end;
};

struct Sample {
  Bytes bytes;
  std::vector<Structure> structures;
};

std::uint32_t checksum(const Bytes& bytes, const Structure& at) {
  return H5_checksum_lookup3(bytes.data() + at.start, at.end - at.start, 0);
}

bool begins_structure(const Bytes& bytes, std::size_t at) {
  constexpr const char* kMarks[] = {"\x89HDF", "OHDR", "OCHK", "BTHD", "BTLF", "BTIN", "FRHP", "FHDB", "FHIB", "FSHD",
                                    "FSSE",    "SMTB", "SMLI", "EAHD", "EAIB", "EASB", "EADB", "FAHD", "FADB"};
  for (const char* mark : kMarks)
    if (std::memcmp(bytes.data() + at, mark, 4) == 0) return true;
  return false;
}

/// A structure reaches from its mark to the first place that holds the checksum of what lies between.
std::vector<Structure> structures_of(const Bytes& bytes) {
  std::vector<Structure> found;
  constexpr std::size_t kLongest = 4096;
  for (std::size_t start = kUserBlockSize; start + 8 < bytes.size(); ++start) {
    if (!begins_structure(bytes, start)) continue;
    for (std::size_t end = start + 4; end + 4 <= std::min(bytes.size(), start + kLongest); ++end) {
      std::uint32_t stored = 0;
      std::memcpy(&stored, bytes.data() + end, sizeof stored);
      if (checksum(bytes, {start, end}) != stored) continue;
      found.push_back({start, end});
      break;
    }
  }
  return found;
}

Bytes by_builder() {
  ArchiveBuilder builder;
  builder.attribute("/", "seed", std::int64_t{2});
  builder.text("/config/resolved", "{\"seed\": 2}");
  builder.texts("/operations", {"none", "skip_connect"});
  builder.array<double>("/alphas/normal", {2, 3, 2}, std::vector<double>(12, 0.25));
  builder.scale("/alphas/normal", 2, "/operations", "operation");
  builder.array<float>("/weights/stem.0.weight", {60, 40}, std::vector<float>(2400, 0.5F));
  builder.array<std::int64_t>("/buffers/tracked", {}, std::vector<std::int64_t>{7});
  for (int i = 0; i < 12; ++i) builder.array<double>("/metrics/m" + std::to_string(i), {2}, std::vector<double>{1, 2});
  for (int i = 0; i < 12; ++i) builder.attribute("/metrics", "a" + std::to_string(i), std::string(40, 'x'));
  return builder.finish();
}

/// A file that HDF5 writes with all that it has of one format: groups, links, chunks of every index, attributes.
Bytes by_hdf5(const std::string& folder, H5F_libver_t version) {
  const std::string path = folder + "/raw.h5";
  hdf5::prepare();
  {
    const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose), access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_userblock(creation, kUserBlockSize);
    H5Pset_libver_bounds(access, version, version == H5F_LIBVER_EARLIEST ? H5F_LIBVER_LATEST : version);
    const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose);
    const Handle group(H5Gcreate2(file, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    std::vector<float> values(64, 1);
    for (const hsize_t most : {hsize_t{64}, H5S_UNLIMITED})
      for (int i = 0; i < 3; ++i) {
        const hsize_t size = 64, chunk = 16;
        const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        if (i > 0 || most == H5S_UNLIMITED) H5Pset_chunk(properties, 1, &chunk);
        if (i > 1) H5Pset_deflate(properties, 1);
        const Handle space(H5Screate_simple(1, &size, &most), H5Sclose);
        const std::string name = "d" + std::to_string(i) + (most == 64 ? "" : "grow");
        const Handle made(H5Dcreate2(group, name.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT),
                          H5Dclose);
        H5Dwrite(made, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
      }
    const double half = 0.5;
    for (int i = 0; i < 10; ++i) H5LTset_attribute_double(file, "a", ("b" + std::to_string(i)).c_str(), &half, 1);
    H5LTset_attribute_string(file, "a", "t", "nats");
  }
  return read_file(path);
}

void seal(Bytes& bytes) {
  const auto block = make_user_block(std::span(bytes).subspan(kUserBlockSize));
  std::copy(block.begin(), block.end(), bytes.begin());
}

std::size_t place(const Sample& sample, RandomStream& random) {
  if (sample.structures.empty() || random.below(4) == 0)
    return kUserBlockSize + random.below(sample.bytes.size() - kUserBlockSize);
  const Structure& one = sample.structures[random.below(sample.structures.size())];
  return one.start + random.below(one.end - one.start);
}

void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  std::memcpy(bytes.data() + at, &value, std::min(size, bytes.size() - at));
}

/// One change of the kinds that fields of a file suffer from: a wrong byte, a number that is too large, zero or off by
/// one, an address of something else, a piece in another's place.
void change(Bytes& bytes, const Sample& sample, RandomStream& random) {
  const std::size_t at = place(sample, random);
  const auto byte = std::to_integer<std::uint8_t>(bytes[at]);
  switch (random.below(7)) {
    case 0:
      return put(bytes, at, random.next(), 1);
    case 1:
      return put(bytes, at, std::uint64_t{byte} ^ (1u << random.below(8)), 1);
    case 2:
      return put(bytes, at, std::uint64_t{byte} + (random.below(2) == 0 ? 1 : 255), 1);
    case 3:
      return put(bytes, at, random.below(2) == 0 ? 0 : ~std::uint64_t{0}, std::size_t{1} << random.below(4));
    case 4:
      return put(bytes, at, std::uint64_t{1} << random.below(64), 8);
    case 5:
      return put(bytes, at, place(sample, random) - kUserBlockSize, 8);
    default: {
      const std::size_t from = place(sample, random), size = 1 + random.below(32);
      if (std::max(at, from) + size <= bytes.size()) std::memmove(bytes.data() + at, bytes.data() + from, size);
    }
  }
}

Bytes mutated(const Sample& sample, RandomStream& random) {
  Bytes bytes = sample.bytes;
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) change(bytes, sample, random);
  for (const Structure& one : sample.structures) put(bytes, one.end, checksum(bytes, one), 4);
  seal(bytes);
  return bytes;
}

void write(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// "read", or the kind of refusal; anything that is neither begins with '!'.
std::string outcome(const std::string& path) {
  try {
    (void)Archive::open(path);
    return "read";
  } catch (const Error& error) {
    const std::string text = error.what();
    if (error.code() != ErrorCode::bad_data || text.rfind(path + ": ", 0) != 0) return "!" + text;
    if (text.find("was ended by signal") != std::string::npos) return "refused, HDF5 having crashed";
    if (text.find("of processor time") != std::string::npos) return "refused, HDF5 having taken too long";
    if (text.find("of memory") != std::string::npos) return "refused, HDF5 having taken too much memory";
    return "refused";
  } catch (const std::exception& error) {
    return "!" + std::string(error.what());
  }
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: archive_mutations COUNT SEED FOLDER" << std::endl;
    return 2;
  }
  const std::string folder = arguments[3], path = folder + "/mutated.h5";
  RandomStream random(std::strtoull(arguments[2], nullptr, 10));
  std::vector<Sample> samples;
  for (Bytes bytes : {by_builder(), by_hdf5(folder, H5F_LIBVER_EARLIEST), by_hdf5(folder, H5F_LIBVER_V110)}) {
    seal(bytes);
    write(path, bytes);
    if (outcome(path) != "read") {
      std::cerr << "a sound sample: " << outcome(path) << std::endl;
      return 1;
    }
    samples.push_back({bytes, structures_of(bytes)});
    std::cout << samples.back().structures.size() << " structures with a checksum in " << bytes.size() << " bytes\n";
  }
  std::map<std::string, std::uint64_t> outcomes;
  double longest = 0;
  for (std::uint64_t left = std::strtoull(arguments[1], nullptr, 10); left > 0; --left) {
    write(path, mutated(samples[left % samples.size()], random));
    const double start = seconds();
    const std::string found = outcome(path);
    longest = std::max(longest, seconds() - start);
    ++outcomes[found];
    if (found.front() == '!') std::cerr << found << std::endl;
  }
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  std::cout << "figure: the longest took " << longest << " s, the largest " << usage.ru_maxrss / 1024 << " MiB\n";
  for (const auto& [found, times] : outcomes) std::cout << "figure: " << times << " " << found << "\n";
  const auto first = outcomes.begin();
  return first != outcomes.end() && first->first.front() == '!' ? 1 : 0;
}
