#include "host/process/confined.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr Confinement kLimits{256 * kMebibyte, 16 * kMebibyte, 2};

void put(const ConfinedOutput& output, const std::string& text) { output(std::as_bytes(std::span(text))); }

std::string text_of(const ConfinedResult& result) {
  const auto bytes = result.output.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The errno of a call in a confined child, as a text.
template <class Call>
std::string refusal(Call&& call) {
  return text_of(run_confined(kLimits, [&](const ConfinedOutput& output) {
    errno = 0;
    put(output, call() >= 0 ? "allowed" : std::strerror(errno));
  }));
}

}  // namespace

TEST_CASE("a confined child hands back what it writes", "[process]") {
  const ConfinedResult none = run_confined(kLimits, [](const ConfinedOutput&) {});
  CHECK(none.whole);
  CHECK(none.output.bytes().empty());
  const std::string large(3 * kMebibyte + 5, 'x');
  const ConfinedResult result = run_confined(kLimits, [&](const ConfinedOutput& output) {
    put(output, "head");
    put(output, large);
  });
  CHECK(result.whole);
  CHECK(text_of(result) == "head" + large);
}

TEST_CASE("a confined child cannot reach files, the network or processes", "[process][hostile]") {
  const int file = ::open("/dev/null", O_WRONLY), open_before = ::fcntl(file, F_DUPFD, 20);
  REQUIRE(open_before >= 20);
  const std::string refused = std::strerror(EPERM);
  CHECK(refusal([] { return ::open("/etc/passwd", O_RDONLY); }) == refused);
  CHECK(refusal([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }) == refused);
  CHECK(refusal([] { return ::kill(::getppid(), 0); }) == refused);
  CHECK(refusal([] { return ::fork(); }) == refused);
  CHECK(refusal([&] { return ::write(open_before, "x", 1); }) == refused);
  CHECK(refusal([] { return ::write(STDERR_FILENO, "x", 1); }) == refused);
  ::close(open_before);
  ::close(file);
}

TEST_CASE("a confined child that goes wrong is told from one that ends well", "[process][hostile]") {
  const auto end = [](const Confinement& limits, auto&& work) {
    const ConfinedResult result = run_confined(limits, work);
    CHECK_FALSE(result.whole);
    CHECK(result.output.bytes().empty());
    return result.end;
  };
  CHECK(end(kLimits, [](const ConfinedOutput& output) {
          put(output, "half");
          std::raise(SIGSEGV);
          ::kill(0, SIGSEGV);
          *static_cast<volatile int*>(nullptr) = 1;
        }) == "was ended by signal 11 (Segmentation fault)");
  CHECK(end(kLimits, [](const ConfinedOutput&) { std::_Exit(0x15); }) == "ended with status 21");
  CHECK(end(kLimits, [](const ConfinedOutput&) { throw std::runtime_error("no"); }) == "ended with status 1");
  CHECK(end({256 * kMebibyte, kMebibyte, 1}, [](const ConfinedOutput&) {
          for (std::atomic<unsigned> i = 0;; ++i) {
          }
        }) == "took more than 1 s of processor time");
  CHECK(end({256 * kMebibyte, kMebibyte, 2}, [](const ConfinedOutput& output) {
          put(output, std::string(2 * kMebibyte, 'x'));
        }) == "wrote more than 1 MiB");
  CHECK(end(kLimits, [](const ConfinedOutput&) {
          std::vector<std::vector<char>> all;
          for (;;) all.emplace_back(16 * kMebibyte, 'x');
        }) == "wanted more than 256 MiB of memory");
}

TEST_CASE("a confined child leaves its parent's memory as it is", "[process]") {
  int value = 1;
  CHECK(run_confined(kLimits, [&](const ConfinedOutput&) { value = 2; }).whole);
  CHECK(value == 1);
}
