#include "host/session/swap_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::size_t kLongestLine = 65536;
constexpr int kPatience = 2;  // seconds that a connection may take to send or to take a line
constexpr int kBacklog = 64, kPause = 50;  // kPause: milliseconds
constexpr std::size_t kMostAskers = 64;

/// The folder of a file, open: its number makes a short address of any path.
Descriptor open_folder(const std::filesystem::path& folder) {
  const std::string name = folder.empty() ? "." : folder.string();
  Descriptor opened(repeated([&] { return ::open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
  if (opened.get() < 0) fail_step(name, "opening the folder", errno, ErrorCode::usage);
  return opened;
}

sockaddr_un address_of(const Descriptor& folder, const std::string& name) {
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw Error(ErrorCode::usage, name + ": a socket's name has at most " +
                                      std::to_string(sizeof address.sun_path - 1 - (path.size() - name.size())) +
                                      " bytes; give the archive a shorter one");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Descriptor new_socket() {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) fail_step("a local socket", "making it", errno);
  return made;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// Whether the other end is a process of this user or of root, or this is root.
bool is_own(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0 || ::geteuid() == 0);
}

/// Up to the end of a line; empty where none comes.
std::string read_line(int connection) {
  std::string line;
  char block[4096];
  while (line.size() < kLongestLine) {
    const ssize_t got = repeated([&] { return ::recv(connection, block, sizeof block, 0); });
    if (got <= 0) return {};
    line.append(block, static_cast<std::size_t>(got));
    if (const std::size_t end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
  }
  return {};
}

/// False where the other end has gone.
bool write_line(int connection, const std::string& text) {
  const std::string line = text + "\n";
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t sent =
        repeated([&] { return ::send(connection, line.data() + done, line.size() - done, MSG_NOSIGNAL); });
    if (sent <= 0) return false;
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

std::pair<Descriptor, Descriptor> new_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_step("a pipe", "making it", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

std::filesystem::path swap_socket(const std::filesystem::path& archive) { return archive.string() + ".swap"; }

SwapServer::SwapServer(const std::filesystem::path& archive)
    : folder_(archive.parent_path()),
      name_(swap_socket(archive).filename().string()),
      socket_(new_socket()),
      wake_(new_pipe()) {
  const Descriptor folder = open_folder(folder_);
  const sockaddr_un address = address_of(folder, name_);
  struct stat left {};
  if (::fstatat(folder.get(), name_.c_str(), &left, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISSOCK(left.st_mode))
      throw Error(ErrorCode::usage, swap_socket(archive).string() + ": expected a socket or nothing, found another file; "
                                                                    "move it away");
    ::unlinkat(folder.get(), name_.c_str(), 0);
  }
  ::fchmod(socket_.get(), S_IRUSR | S_IWUSR);  // before it has a name: nobody else can ever use it
  if (::bind(socket_.get(), generic(address), sizeof address) != 0 || ::listen(socket_.get(), kBacklog) != 0)
    fail_step(swap_socket(archive).string(), "making the socket", errno);
  struct stat named {};
  if (::fstatat(folder.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0) inode_ = named.st_ino;
  // accept4() must not wait for a connection that has gone again.
  ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
  thread_ = std::thread([this] { listen(); });
}

SwapServer::~SwapServer() {
  (void)!::write(wake_.second.get(), "", 1);
  thread_.join();
  if (is_ours()) ::unlink((folder_ / name_).c_str());
  for (const auto& late : waiting_) write_line(late->connection.get(), farewell_);
}

/// Whether the name is still that of this socket.
bool SwapServer::is_ours() const {
  struct stat named {};
  return ::lstat((folder_ / name_).c_str(), &named) == 0 && S_ISSOCK(named.st_mode) && named.st_ino == inode_;
}

void SwapServer::listen() {
  for (bool ends = false; !ends;) {
    const bool room = coming_.size() + number_waiting_ < kMostAskers;
    std::vector<pollfd> watched{{wake_.first.get(), POLLIN, 0}, {room ? socket_.get() : -1, POLLIN, 0}};
    for (const auto& asker : coming_) watched.push_back({asker->connection.get(), POLLIN, 0});
    const int pause = coming_.empty() && room ? -1 : kPause;
    if (repeated([&] { return ::poll(watched.data(), watched.size(), pause); }) < 0) return;
    ends = watched[0].revents != 0;
    std::vector<std::unique_ptr<Asker>> still;
    for (std::size_t i = 0; i < coming_.size(); ++i) {
      const bool keeps = watched[i + 2].revents == 0 ? Clock::now() < coming_[i]->deadline : take_in(*coming_[i]);
      if (!keeps) continue;
      if (!coming_[i]->is_whole) {
        still.push_back(std::move(coming_[i]));
        continue;
      }
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(coming_[i]));
      number_waiting_ = waiting_.size();
    }
    coming_ = std::move(still);
    // Whoever connects as the run ends is heard still, where its request is there already.
    for (int i = 0; i < (ends ? kBacklog : 1); ++i)
      if (ends || watched[1].revents != 0) accept_one();
  }
  for (auto& asker : coming_)
    if (take_in(*asker) && asker->is_whole) waiting_.push_back(std::move(asker));
}

void SwapServer::accept_one() {
  Descriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection.get() < 0 || !is_own(connection.get())) return;
  coming_.push_back(std::make_unique<Asker>(std::move(connection), Clock::now() + std::chrono::seconds(kPatience)));
}

bool SwapServer::take_in(Asker& asker) {
  char block[4096];
  const ssize_t got = repeated([&] { return ::recv(asker.connection.get(), block, sizeof block, 0); });
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
  if (got == 0) return false;
  asker.text.append(block, static_cast<std::size_t>(got));
  const std::size_t end = asker.text.find('\n');
  if (end == std::string::npos) return asker.text.size() < kLongestLine && Clock::now() < asker.deadline;
  asker.text.resize(end);
  asker.is_whole = true;
  return end > 0;
}

void SwapServer::serve(const std::function<std::string(const std::string& request)>& answer) {
  if (number_waiting_ == 0) return;
  std::vector<std::unique_ptr<Asker>> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(waiting_);
    number_waiting_ = 0;
  }
  for (const auto& asker : taken) write_line(asker->connection.get(), answer(asker->text));
}

std::string ask_run(const std::filesystem::path& archive, const std::string& request) {
  if (request.size() >= kLongestLine)
    throw Error(ErrorCode::usage, "the swap: expected at most " + std::to_string(kLongestLine - 1) + " bytes, found " +
                                      std::to_string(request.size()));
  const std::string name = archive.string();
  const Descriptor folder = open_folder(archive.parent_path());
  const sockaddr_un address = address_of(folder, swap_socket(archive).filename().string());
  const Descriptor connection = new_socket();
  if (repeated([&] { return ::connect(connection.get(), generic(address), sizeof address); }) != 0) {
    const int problem = errno;
    if (problem == EACCES || problem == EPERM)
      throw Error(ErrorCode::usage, name + ": its run belongs to another user, who alone may change it");
    if (problem != ENOENT && problem != ECONNREFUSED) fail_step(swap_socket(archive).string(), "connecting", problem);
    throw NotListening(
        ErrorCode::usage,
        name + ": no search runs on it" + (problem == ECONNREFUSED ? " (one that was killed left its socket)" : "") +
            "; a swap reaches a search while it runs. mixop search --out " + name +
            " goes on with it: --resume where it was interrupted, --continue where it has finished");
  }
  if (!is_own(connection.get()))
    throw Error(ErrorCode::usage, name + ": its run belongs to another user, who alone may change it");
  std::string answer;
  if (write_line(connection.get(), request)) answer = read_line(connection.get());
  if (answer.empty())
    throw Error(ErrorCode::failed, name + ": its search ended without an answer; mixop inspect " + name +
                                       " shows the strategies that were in force");
  return answer;
}

}  // namespace mixop
