#include "host/session/swap_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <future>

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;
using test::TemporaryFolder;

std::string echoed(SwapServer& server, const std::filesystem::path& archive, const std::string& request) {
  auto asked = std::async(std::launch::async, [&] { return ask_run(archive, request); });
  while (asked.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready)
    server.serve([](const std::string& text) { return "got " + text; });
  return asked.get();
}

TEST_CASE("a run is reached by a socket beside its archive that is its owner's alone and goes with it", "[session][swap]") {
  const TemporaryFolder folder;
  const auto archive = folder.path() / "run.h5";
  {
    SwapServer server(archive);
    CHECK(echoed(server, archive, "one") == "got one");
    CHECK(echoed(server, archive, std::string(40000, 'x')) == "got " + std::string(40000, 'x'));
    struct stat info {};
    REQUIRE(::stat(swap_socket(archive).c_str(), &info) == 0);
    CHECK((S_ISSOCK(info.st_mode) && (info.st_mode & 0177) == 0));
  }
  CHECK(!std::filesystem::exists(swap_socket(archive)));
  CHECK_THROWS_WITH(ask_run(archive, "two"), Contains("no search runs on it; a swap reaches a search while it runs"));
}

TEST_CASE("requests are answered in their order, and those that come too late are told", "[session][swap]") {
  const TemporaryFolder folder;
  const auto archive = folder.path() / "run.h5";
  std::vector<std::future<std::string>> asked;
  {
    SwapServer server(archive);
    server.set_farewell("too late");
    for (int i = 0; i < 8; ++i)
      asked.push_back(std::async(std::launch::async, [&, i] { return ask_run(archive, std::to_string(i)); }));
    int answered = 0;
    while (answered < 4) server.serve([&](const std::string&) { return std::to_string(answered++); });
    // All have connected before the socket goes, some maybe only to the backlog.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  std::vector<std::string> answers;
  for (auto& one : asked) answers.push_back(one.get());
  std::sort(answers.begin(), answers.end());
  CHECK(std::count(answers.begin(), answers.end(), "too late") == 8 - std::count_if(answers.begin(), answers.end(), [](const std::string& text) {
          return text.size() == 1;
        }));
  CHECK(answers.front() == "0");
}

TEST_CASE("a socket that a killed run left is told apart and replaced; another file is left alone", "[session][swap][misuse]") {
  const TemporaryFolder folder;
  const auto archive = folder.path() / "run.h5";
  {
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(swap_socket(archive).string().size() < sizeof address.sun_path);
    std::strcpy(address.sun_path, swap_socket(archive).c_str());
    REQUIRE(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(left);
  }
  CHECK_THROWS_WITH(ask_run(archive, "one"), Contains("one that was killed left its socket"));
  {
    SwapServer server(archive);
    CHECK(echoed(server, archive, "one") == "got one");
  }
  folder.write("run.h5.swap", std::string("mine"));
  CHECK_THROWS_WITH(SwapServer(archive), Contains("expected a socket or nothing, found another file"));
  CHECK(std::filesystem::file_size(swap_socket(archive)) == 4);
}

TEST_CASE("a path may be longer than a socket's address, a name may not", "[session][swap]") {
  const TemporaryFolder folder;
  const auto deep = folder.path() / std::string(100, 'a') / std::string(100, 'b');
  std::filesystem::create_directories(deep);
  {
    SwapServer server(deep / "run.h5");
    CHECK(echoed(server, deep / "run.h5", "one") == "got one");
  }
  CHECK_THROWS_WITH(SwapServer(deep / std::string(120, 'c')), Contains("give the archive a shorter one"));
}

TEST_CASE("a connection that says nothing, or no end of it, holds up nobody for long", "[session][swap][hostile]") {
  const TemporaryFolder folder;
  const auto archive = folder.path() / "run.h5";
  SwapServer server(archive);
  const auto connected = [&] {
    const int made = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, swap_socket(archive).c_str());
    REQUIRE(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return Descriptor(made);
  };
  const Descriptor silent = connected(), endless = connected();
  const std::string block(4096, 'x');
  for (int i = 0; i < 32; ++i)
    if (::send(endless.get(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT) <= 0) break;
  CHECK(echoed(server, archive, "one") == "got one");
}

}  // namespace
