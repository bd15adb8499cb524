#pragma once

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "mixop/abi/error.h"

namespace mixop {

/// What went wrong, as the command line's exit codes and the ABI's status codes name it.
enum class ErrorCode : int {
  failed = MIXOP_ERROR_FAILED,
  usage = MIXOP_ERROR_USAGE,
  bad_data = MIXOP_ERROR_BAD_DATA,
  plugin = MIXOP_ERROR_PLUGIN,
  unsupported = MIXOP_ERROR_UNSUPPORTED,
};

/// The one exception of mixop. The message says what, where, expected, found and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// An exception's text without what LibTorch appends: where in its sources it was thrown, and a stack trace.
inline std::string first_paragraph(const char* what) {
  std::string text = what;
  for (const char* mark : {"\nException raised from", "\nframe #"}) text = text.substr(0, text.find(mark));
  const auto memory = text.find("DefaultCPUAllocator: ");
  return memory == std::string::npos ? text : "not enough memory: " + text.substr(memory + 21);
}

/// Runs `body` and turns whatever it throws into a status: the plugin's side of every table function.
template <class Body>
MixopStatus guarded(MixopError* error, Body&& body) noexcept {
  const auto fail = [&](int code, const char* message) {
    if (error != nullptr && error->size >= sizeof(MixopError)) {
      error->code = code;
      std::snprintf(error->message, sizeof error->message, "%s", message);
    }
    return static_cast<MixopStatus>(code);
  };
  try {
    std::forward<Body>(body)();
    return MIXOP_OK;
  } catch (const Error& e) {
    return fail(static_cast<int>(e.code()), e.what());
  } catch (const std::exception& e) {
    return fail(MIXOP_ERROR_FAILED, first_paragraph(e.what()).c_str());
  } catch (...) {
    return fail(MIXOP_ERROR_FAILED, "an exception that is no std::exception");
  }
}

/// Calls a table function with a fresh MixopError and throws what it reports, prefixed with `where`: the host's side.
template <class Call>
void checked(const std::string& where, Call&& call) {
  MixopError error{};
  error.size = sizeof error;
  const MixopStatus status = std::forward<Call>(call)(&error);
  if (status == MIXOP_OK) return;
  const bool known = status >= MIXOP_ERROR_FAILED && status <= MIXOP_ERROR_UNSUPPORTED;
  error.message[sizeof error.message - 1] = '\0';
  throw Error(
      known ? static_cast<ErrorCode>(status) : ErrorCode::plugin,
      (where.empty() ? "" : where + ": ") + (error.message[0] != '\0' ? error.message : "failed without a message"));
}

}  // namespace mixop
