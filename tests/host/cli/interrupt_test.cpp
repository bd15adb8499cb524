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
