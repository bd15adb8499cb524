// Opens archives one by one as every reading command does, each in a child process that may take 64 MiB of memory more
// than it has. Prints a line of JSON a file.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "host/archive/archive.hpp"
#include "host/json/json_writer.hpp"

namespace {

using namespace mixop;

constexpr rlim_t kRoom = rlim_t{64} << 20;

long peak_kib() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void limit_memory() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kRoom;
  const struct rlimit limit = {most, most};
  ::setrlimit(RLIMIT_AS, &limit);
}

void read_one(const char* file) {
  limit_memory();
  const long before = peak_kib();
  std::string problem;
  bool bad_data = false;
  try {
    (void)Archive::open(file);
  } catch (const Error& error) {
    problem = error.what();
    bad_data = error.code() == ErrorCode::bad_data;
  } catch (const std::exception& error) {
    problem = error.what();
  }
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("file", file).member("problem", problem).member("bad_data", bad_data);
  std::cout << json.member("growth_kib", std::int64_t{peak_kib() - before}).end().text() << std::endl;
}

}  // namespace

int main(int count, char** files) {
  for (int i = 1; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      read_one(files[i]);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) {
      std::cerr << files[i] << ": the reader ended with status " << status << std::endl;
      return 1;
    }
  }
  return 0;
}
