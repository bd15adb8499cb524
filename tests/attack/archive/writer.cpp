// archive_writer FILE FIRST COUNT: writes generations FIRST, FIRST + 1, ... of an archive as a search does, under its
// lock, and prints "saved N" when one is safe. The same generation is the same bytes.
#include <cstdlib>
#include <iostream>

#include "host/archive/archive.hpp"
#include "host/archive/file.hpp"

namespace {

using namespace mixop;

void save(const char* path, std::int64_t generation) {
  ArchiveBuilder archive;
  std::vector<double> values(8000);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<double>(generation) / static_cast<double>(i + 1);
  archive.attribute("/", "generation", generation);
  archive.array<double>("/values", {values.size()}, values);
  archive.save(path);
  std::cout << "saved " << generation << std::endl;
}

}  // namespace

int main(int, char** arguments) {
  try {
    const ArchiveLock lock(arguments[1]);
    const std::int64_t first = std::atoll(arguments[2]), count = std::atoll(arguments[3]);
    for (std::int64_t i = first; i < first + count; ++i) save(arguments[1], i);
  } catch (const Error& error) {
    std::cerr << error.what() << std::endl;
    return error.code() == ErrorCode::failed ? 1 : 2;
  }
  return 0;
}
