#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/files/descriptor.hpp"

namespace mixop {

/// The socket of a run's archive, by which other programs of the same user reach the run: RUN.h5.swap.
std::filesystem::path swap_socket(const std::filesystem::path& archive);

/// Takes in requests, a line each, while the run works on, and hands them over where the run asks for them. Other users
/// are refused.
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
  struct Waiting {
    Descriptor connection;
    std::string request;
  };
  void listen();
  /// Takes in one connection's request; false where there is no connection.
  bool accept_one();

  std::filesystem::path folder_;
  std::string name_;
  Descriptor socket_;
  std::pair<Descriptor, Descriptor> wake_;  // a pipe: what is read, what is written
  std::string farewell_;
  std::mutex mutex_;
  std::vector<Waiting> waiting_;
  std::atomic<bool> any_{false};
  std::thread thread_;
};

/// Sends a request to the run of an archive and returns its answer, which may take as long as a step does. Throws a
/// usage error where no run listens.
std::string ask_run(const std::filesystem::path& archive, const std::string& request);

}  // namespace mixop
