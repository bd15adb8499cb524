#include "host/cli/interrupt.hpp"

#include <csignal>

#include "tests/catch.hpp"

using mixop::cli::InterruptGuard;

TEST_CASE("a signal is kept while a guard lives, and the next guard begins anew", "[cli][interrupt]") {
  {
    const InterruptGuard guard;
    CHECK(guard.received() == 0);
    std::raise(SIGINT);
    CHECK(guard.received() == SIGINT);
  }
  const InterruptGuard next;
  CHECK(next.received() == 0);
}

TEST_CASE("guards within another's life share what it received", "[cli][interrupt]") {
  const InterruptGuard whole;
  { const InterruptGuard part; }
  std::raise(SIGTERM);  // between two parts, which would end this process without the outer guard
  CHECK(whole.received() == SIGTERM);
  const InterruptGuard part;
  CHECK(part.received() == SIGTERM);
}

TEST_CASE("a closed terminal and the warnings of batch systems are kept, however often they come", "[cli][interrupt]") {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
    const InterruptGuard guard;
    for (int time = 0; time < 3; ++time) std::raise(signal);
    CHECK(guard.received() == signal);
    std::raise(SIGTERM);  // the batch system's last word comes after its warning
    CHECK(guard.received() == signal);
  }
}

TEST_CASE("what a process was started to ignore stays ignored, and is again as it was", "[cli][interrupt]") {
  const auto handler_of = [](int signal) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    return now.sa_handler;
  };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
    std::signal(signal, SIG_IGN);
    {
      const InterruptGuard guard;
      std::raise(signal);
      CHECK(guard.received() == 0);
    }
    CHECK(handler_of(signal) == SIG_IGN);
    std::signal(signal, SIG_DFL);
    { const InterruptGuard guard; }
    CHECK(handler_of(signal) == SIG_DFL);
  }
}
