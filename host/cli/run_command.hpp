#pragma once

#include "host/cli/interrupt.hpp"
#include "host/cli/run_options.hpp"
#include "host/config/resolve.hpp"

namespace mixop::cli {

/// What search and train do with a request: print its forecast for --dry-run, else run its session to the end and
/// report it by `report(session, end)`. Returns the exit code.
template <class Session, class Request, class Report>
int run_or_forecast(const po::variables_map& values, const Request& request, const Application& application,
                    Report&& report) {
  if (!request.goes_on())
    expect_described({request.preset_or_file, request.sets, application.presets, request.kind});
  if (values.count("dry-run") != 0) {
    print_forecast(forecast(request, application));
    return 0;
  }
  Session session(request, application);
  TerminalObserver observer;
  const InterruptGuard interrupt;
  const RunEnd end = session.run(observer, interrupt.received());
  report(session, end);
  require_output();
  return end == RunEnd::interrupted ? 128 + interrupt.received() : 0;
}

}  // namespace mixop::cli
