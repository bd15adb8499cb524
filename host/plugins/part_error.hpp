#pragma once

#include <string>
#include <utility>

#include "host/process/running_part.hpp"
#include "mixop/error.hpp"

namespace mixop {

/// An error whose message begins with the part of a plugin that it comes from: "operator 'acme.x': forward: ...".
class PartError : public Error {
 public:
  using Error::Error;
};

/// A loss, an output or a state that is not finite any more; `by_part` where finite numbers became so in a part's own code.
class NotFinite : public PartError {
 public:
  explicit NotFinite(const std::string& message, bool by_part = false)
      : PartError(ErrorCode::failed, message), by_part_(by_part) {}
  bool by_part() const { return by_part_; }

 private:
  bool by_part_;
};

/// What `call` gives. The message of a part's error gets `place()` behind it.
template <class Place, class Call>
decltype(auto) placing(const Place& place, Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const NotFinite& error) {
    throw NotFinite(error.what() + place(), error.by_part());
  } catch (const PartError& error) {
    throw PartError(error.code(), error.what() + place());
  }
}

/// What `call` gives. What it throws names `part`, and what was asked of it, unless it names another part already or is
/// said to the user: of bad usage or data, which parts describe themselves.
template <class Call>
decltype(auto) naming(const std::string& part, const char* asked, Call&& call) {
  const RunningPart running(part, asked);
  const auto named = [&](const char* what) { return part + ": " + asked + ": " + what; };
  try {
    return std::forward<Call>(call)();
  } catch (const PartError&) {
    throw;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::usage || error.code() == ErrorCode::bad_data) throw;
    throw PartError(error.code(), named(error.what()));
  } catch (const std::exception& error) {
    throw PartError(ErrorCode::failed, named(first_paragraph(error.what()).c_str()));
  } catch (...) {
    throw PartError(ErrorCode::failed, named("an exception that is no std::exception"));
  }
}

}  // namespace mixop
