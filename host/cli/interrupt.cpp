#include "host/cli/interrupt.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace mixop::cli {
namespace {

/// What asks a run to end: people (Ctrl-C), a closed terminal, kill, and the warnings of batch systems.
constexpr std::array<int, 6> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};

std::atomic<int> received_signal{0};  // what a signal handler may touch
std::atomic<bool> asked_to_end{false};
std::atomic<int> guards{0};
std::array<struct sigaction, kSignals.size()> before{};
static_assert(std::atomic<int>::is_always_lock_free);

constexpr char kSaid[] = "\nmixop: stopping; once more ends it at once\n";

/// Warnings come again and again (SIGXCPU every second), so that only who insists ends the process at once.
void on_signal(int signal) {
  int none = 0;
  received_signal.compare_exchange_strong(none, signal);
  const bool insists = signal == SIGINT || signal == SIGTERM;
  if (!insists) return;
  if (asked_to_end.exchange(true)) _exit(128 + signal);
  const int problem = errno;
  (void)!write(STDERR_FILENO, kSaid, sizeof kSaid - 1);
  errno = problem;
}

void install() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction now {};
    sigaction(kSignals[i], nullptr, &now);
    if (now.sa_handler != on_signal) before[i] = now;
    if (now.sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

void restore() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (guards++ != 0) return;
  received_signal = 0;
  asked_to_end = false;
  install();
}

InterruptGuard::~InterruptGuard() {
  // A run that was asked to end is about to: what asks once more is not to end it in between.
  if (--guards == 0 && received_signal == 0) restore();
}

const std::atomic<int>& InterruptGuard::received() const { return received_signal; }

}  // namespace mixop::cli
