#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/files/descriptor.hpp"
#include "mixop/error.hpp"

namespace mixop {

/// The socket of a run's archive, by which other programs of the same user reach the run: RUN.h5.swap.
std::filesystem::path swap_socket(const std::filesystem::path& archive);

/// Takes in requests, a line each, while the run works on, and hands them over where the run asks for them. Other users
/// are refused, and who does not send a line in time; at most 64 are heard at once.
class SwapServer {
 public:
  /// Listens at a socket that only the owner may use; one that a killed run left is replaced. The caller holds the
  /// archive's lock. Throws failed where the folder's file system has no sockets.
  explicit SwapServer(const std::filesystem::path& archive);
  SwapServer(const SwapServer&) = delete;
  SwapServer& operator=(const SwapServer&) = delete;
  /// Removes the socket; `farewell` is the answer to those that still wait.
  ~SwapServer();

  /// Answers all requests that wait, in the order in which they came.
  void serve(const std::function<std::string(const std::string& request)>& answer);
  /// What those are told that come too late.
  void set_farewell(std::string answer) { farewell_ = std::move(answer); }

 private:
  using Clock = std::chrono::steady_clock;
  /// A connection and what it has sent: at first a part of a line.
  struct Asker {
    Descriptor connection;
    Clock::time_point deadline;
    std::string text;
    bool is_whole = false;
  };
  void listen();
  void accept_one();
  /// Reads what is there. False where the connection is of no use any more.
  bool take_in(Asker& asker);
  bool is_ours() const;

  std::filesystem::path folder_;
  std::string name_;
  Descriptor socket_;
  std::pair<Descriptor, Descriptor> wake_;  // a pipe: what is read, what is written
  std::uint64_t inode_ = 0;  // of the socket's name
  std::string farewell_;
  std::vector<std::unique_ptr<Asker>> coming_;  // of the thread: those that have not sent a line yet
  std::mutex mutex_;
  std::vector<std::unique_ptr<Asker>> waiting_;  // for an answer
  std::atomic<std::size_t> number_waiting_{0};
  std::thread thread_;
};

/// Nobody listens at the socket of an archive.
class NotListening : public Error {
 public:
  using Error::Error;
};

/// Sends a request to the run of an archive and returns its answer, which may take as long as a step does. Throws
/// NotListening, a usage error, where no run listens.
std::string ask_run(const std::filesystem::path& archive, const std::string& request);

}  // namespace mixop
