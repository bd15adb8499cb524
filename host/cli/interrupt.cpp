#include "host/cli/interrupt.hpp"

#include <unistd.h>
#include <csignal>

namespace mixop::cli {
namespace {

std::atomic<int> received_signal{0};  // what a signal handler may touch
std::atomic<int> guards{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  if (received_signal.exchange(signal) != 0) _exit(128 + signal);
}

void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (guards++ != 0) return;
  received_signal = 0;
  install(on_signal);
}

InterruptGuard::~InterruptGuard() {
  if (--guards == 0) install(SIG_DFL);
}

const std::atomic<int>& InterruptGuard::received() const { return received_signal; }

}  // namespace mixop::cli
