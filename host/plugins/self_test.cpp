#include "host/plugins/self_test.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "host/process/child_process.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

// Lines of the child's output begin with this, so that a plugin may print what it likes.
constexpr char kMark[] = "@mixop-trial";
constexpr char kPassed[] = "passed";
constexpr char kFailed[] = "failed";
constexpr char kPlugin[] = "plugin";
constexpr char kRefused[] = "refused";
constexpr char kEnd[] = "end";

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return text;
}

[[noreturn]] void refuse(const PluginFile& file, const std::string& problem) {
  throw PluginRefused(PluginCheck::self_test, file.path, problem);
}

// Where the child was when it stopped.
std::string after(const SelfTestReport& report) {
  if (report.id.empty()) return " while it was loaded";
  if (report.trials.empty()) return " in its first trial";
  return " after '" + report.trials.back().component + ": " + report.trials.back().name + "'";
}

// Adds one line of the child's output to the report; returns whether it was the last one.
bool read_line(const std::string& line, const PluginFile& file, SelfTestReport& report) {
  std::vector<std::string> fields = split(line, '\t');
  if (fields.size() < 2 || fields[0] != kMark) return false;
  fields.resize(5);
  if (fields[1] == kPlugin) {
    report.id = fields[2];
    report.version = fields[3];
  } else if (fields[1] == kPassed || fields[1] == kFailed) {
    report.trials.push_back({fields[2], fields[3], fields[1] == kPassed, fields[4]});
  } else if (fields[1] == kRefused) {
    for (int check = 0; check <= static_cast<int>(PluginCheck::self_test); ++check)
      if (fields[2] == name_of(static_cast<PluginCheck>(check)))
        throw PluginRefused(static_cast<PluginCheck>(check), file.path, fields[3]);
  }
  return fields[1] == kEnd;
}

}  // namespace

bool SelfTestReport::passed() const {
  return broken_off.empty() &&
         std::all_of(trials.begin(), trials.end(), [](const Trial& trial) { return trial.passed; });
}

void TrialWriter::line(const std::vector<std::string>& fields) {
  out_ << '\n' << kMark;
  for (const std::string& field : fields) out_ << '\t' << one_line(field);
  out_ << '\n' << std::flush;
}

void TrialWriter::plugin(const std::string& id, const std::string& version) { line({kPlugin, id, version}); }

void TrialWriter::trial(const Trial& trial) {
  line({trial.passed ? kPassed : kFailed, trial.component, trial.name, trial.detail});
}

void TrialWriter::refusal(const PluginRefused& reason) { line({kRefused, name_of(reason.check()), reason.problem()}); }

void TrialWriter::end() { line({kEnd}); }

SelfTestReport self_test(const PluginFile& file, std::vector<std::string> child, std::chrono::milliseconds timeout) {
  child.push_back(file.path.string());
  const ChildResult result = run_child(child, timeout);
  SelfTestReport report;
  bool complete = false;
  for (const std::string& line : split(result.output, '\n')) complete = read_line(line, file, report) || complete;
  if (result.end == ChildResult::End::timed_out)
    report.broken_off = "the self-test did not end within " + std::to_string(timeout.count() / 1000) +
                        " s; it was stopped" + after(report);
  else if (result.end == ChildResult::End::killed)
    report.broken_off = "the self-test crashed with signal " + std::to_string(result.code) + " (" +
                        ::strsignal(result.code) + ")" + after(report);
  else if (result.left_out > 0)
    report.broken_off = "it printed more than 1 MiB in the self-test, of which " + std::to_string(result.left_out) +
                        " bytes were not read, so what it passed is not known; let it print less";
  else if (!complete)
    report.broken_off = "the self-test ended early with exit status " + std::to_string(result.code) + after(report);
  return report;
}

void require_passed(const SelfTestReport& report, const PluginFile& file) {
  if (!report.broken_off.empty()) refuse(file, report.broken_off);
  for (const Trial& trial : report.trials)
    if (!trial.passed)
      refuse(file, "'" + trial.component + "' fails the trial '" + trial.name + "': " + trial.detail +
                       ". Run `mixop plugins check " + file.path.string() + "` for all of them");
}

}  // namespace mixop
