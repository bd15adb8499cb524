#pragma once

#include <string>

#include "host/loop/epoch_loop.hpp"
#include "host/task/task.hpp"

namespace mixop {

/// What an observer of a session is called with.
class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  /// A line for people.
  virtual void on_line(const std::string& line) = 0;
  /// `means` are those of the epoch's steps so far, as train_...
  virtual void on_step(const SearchPosition&, std::int64_t /*step*/, std::int64_t /*steps*/, double /*loss*/,
                       const Metrics& /*means*/, const Task&) {}
  /// After the epoch's checkpoint: what is reported here is safe.
  virtual void on_epoch(const SearchPosition&, const Metrics&, const Task&) {}

 protected:
  SessionObserver() = default;
};

}  // namespace mixop
