#include "host/plugins/self_test.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>

#include "host/data/dataset_handle.hpp"
#include "host/plugins/operator_trials.hpp"
#include "host/plugins/option_values.hpp"
#include "host/plugins/registry.hpp"
#include "host/process/child_process.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

// Lines of the child's answer begin with this, so that a plugin may print what it likes.
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

void write_line(std::ostream& out, const std::vector<std::string>& fields) {
  out << '\n' << kMark;
  for (const std::string& field : fields) out << '\t' << one_line(field);
  out << '\n' << std::flush;
}

// Opening a data set that is not there must end in an error that the user can read, or in records that can be read and
// decoded.
void try_dataset(const MixopDataset& table, const std::string& name, const TrialSink& report) {
  Trial trial{name, "opens, or says why not", true, ""};
  try {
    const DatasetHandle data(name, table, "");
    for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split) {
      const std::int64_t count = std::min<std::int64_t>(data.info().records[static_cast<std::size_t>(split)], 2);
      std::vector<std::uint8_t> values(static_cast<std::size_t>(count * data.info().record_bytes()));
      std::vector<std::int64_t> targets(static_cast<std::size_t>(count));
      const bool images = data.info().kind == MIXOP_DATA_IMAGES;
      if (count > 0) data.read(split, 0, count, images ? values.data() : nullptr, targets.data());
      for (std::int64_t record = 0; record < count && data.info().many_sizes; ++record)
        data.decode(split, record, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
          values.assign(pixels, pixels + std::int64_t{height} * width * data.info().channels);
        });
    }
  } catch (const Error& error) {
    trial.passed = error.code() == ErrorCode::usage || error.code() == ErrorCode::bad_data;
    if (!trial.passed) trial.detail = error.what();
  }
  report(trial);
}

// A factory must give a new object at every call.
void try_factory_twice(const MixopFactory& factory, const std::string& name, const TrialSink& report) {
  Trial trial{name, "creates objects of its own", true, ""};
  try {
    const OptionValues options(name, factory.options, factory.option_count);
    void* objects[2] = {nullptr, nullptr};
    for (void*& object : objects)
      checked(name, [&](MixopError* error) { return factory.create(options.data(), options.size(), &object, error); });
    trial.passed = objects[0] != nullptr && objects[1] != nullptr && objects[0] != objects[1];
    if (trial.passed)
      for (void* object : objects) factory.destroy(object);
    else
      trial.detail = "two calls of create answered the same object or NULL";
  } catch (const std::exception& error) {
    trial = {name, trial.name, false, error.what()};
  }
  report(trial);
}

void try_components(const PluginRegistry& registry, const PluginInfo& plugin, const TrialSink& report) {
  for (const ComponentInfo& component : plugin.components) {
    if (component.group == kActivations)
      try_operator(registry.activation(component.name), component.name, report);
    else if (component.interface == MIXOP_OPERATOR_INTERFACE)
      try_operator(registry.op(component.name), component.name, report);
    else if (component.interface == MIXOP_DATASET_INTERFACE)
      try_dataset(registry.dataset(component.name), component.name, report);
    else if (component.interface == MIXOP_STRATEGY_INTERFACE)
      report({component.name, "names a part for every place", true, ""});
    else
      try_factory_twice(registry.factory(component.interface, component.name), component.name, report);
  }
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

// Adds one line of the child's answer to the report; answers whether it was the last one.
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
  return std::all_of(trials.begin(), trials.end(), [](const Trial& trial) { return trial.passed; });
}

void run_trials(const std::filesystem::path& path, std::ostream& out) {
  try {
    PluginRegistry registry;
    const PluginInfo& plugin = registry.load_file(path);
    write_line(out, {kPlugin, plugin.id, plugin.version});
    try_components(registry, plugin, [&](const Trial& trial) {
      write_line(out, {trial.passed ? kPassed : kFailed, trial.component, trial.name, trial.detail});
    });
    write_line(out, {kEnd});
  } catch (const PluginRefused& reason) {
    write_line(out, {kRefused, name_of(reason.check()), reason.problem()});
  }
}

SelfTestReport self_test(const PluginFile& file, std::vector<std::string> child, std::chrono::milliseconds timeout) {
  child.push_back(file.path.string());
  const ChildResult result = run_child(child, timeout);
  SelfTestReport report;
  bool complete = false;
  for (const std::string& line : split(result.output, '\n')) complete = read_line(line, file, report) || complete;
  if (result.end == ChildResult::End::timed_out)
    refuse(file, "the self-test did not end within " + std::to_string(timeout.count() / 1000) + " s; it was stopped" +
                     after(report));
  if (result.end == ChildResult::End::killed)
    refuse(file, "the self-test crashed with signal " + std::to_string(result.code) + " (" + ::strsignal(result.code) +
                     ")" + after(report));
  if (!complete)
    refuse(file, "the self-test ended early with exit status " + std::to_string(result.code) + after(report));
  return report;
}

void require_passed(const SelfTestReport& report, const PluginFile& file) {
  for (const Trial& trial : report.trials)
    if (!trial.passed)
      refuse(file, "'" + trial.component + "' fails the trial '" + trial.name + "': " + trial.detail +
                       ". Run `mixop plugins check " + file.path.string() + "` for all of them");
}

}  // namespace mixop
