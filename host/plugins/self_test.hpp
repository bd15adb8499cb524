#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "host/plugins/checks.hpp"

namespace mixop {

/// One trial of one component.
struct Trial {
  std::string component;
  std::string name;  ///< "gradient of the input"
  bool passed = false;
  std::string detail;  ///< what went wrong; empty where it passed
};

using TrialSink = std::function<void(const Trial&)>;

struct SelfTestReport {
  std::string id;       ///< of the plugin
  std::string version;  ///< of the plugin
  std::vector<Trial> trials;
  std::string broken_off;  ///< why it ended before its end: a crash, a hang; else empty
  bool passed() const;
};

/// What a child process writes for self_test to read.
class TrialWriter {
 public:
  explicit TrialWriter(std::ostream& out) : out_(out) {}
  /// First, the plugin that is tried.
  void plugin(const std::string& id, const std::string& version);
  void trial(const Trial& trial);
  /// In the place of trials.
  void refusal(const PluginRefused& reason);
  /// Last, after every trial.
  void end();

 private:
  void line(const std::vector<std::string>& fields);

  std::ostream& out_;
};

/// Runs the trials of `file` in a child process and waits for it: a crash or a hang of the plugin does not reach this
/// program. `child` is the command that ends in a call of run_trials (host/trials); the file's path is appended to it. Throws
/// PluginRefused where the plugin does not load; failed trials, a crash and a hang are in the report.
SelfTestReport self_test(const PluginFile& file, std::vector<std::string> child,
                         std::chrono::milliseconds timeout = std::chrono::minutes(5));

/// The self-test as the refusal of a plugin that fails a trial.
void require_passed(const SelfTestReport& report, const PluginFile& file);

}  // namespace mixop
