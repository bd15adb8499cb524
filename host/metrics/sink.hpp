#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace mixop {

/// What a run measured at a step, or over the epoch that ended with it.
struct Measured {
  enum class Kind { step, epoch };
  Kind kind = Kind::step;
  std::int64_t step = 0;   ///< of the whole run, counted from 1
  std::int64_t epoch = 0;  ///< counted from 1
  double wall_time = 0;    ///< seconds since 1970
  std::map<std::string, double> values;
};

/// "step" or "epoch".
const char* kind_name(Measured::Kind kind);

/// Where metrics go as a run goes on. Throws `failed` where the file system does.
class MetricsSink {
 public:
  virtual ~MetricsSink() = default;
  /// Hands it to the operating system at once, so that others can read it.
  virtual void write(const Measured& measured) = 0;
  /// Removes what was reported of steps after `step`, and what was cut off.
  virtual void cut(std::int64_t step) = 0;
  /// Returns when all of it is on disk.
  virtual void sync() = 0;
  /// The last epoch that is there; 0: none.
  virtual std::int64_t last_epoch() const = 0;

 protected:
  MetricsSink() = default;
};

}  // namespace mixop
