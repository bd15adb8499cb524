#include <filesystem>
#include <iostream>
#include <optional>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/files/installed.hpp"
#include "host/files/output.hpp"
#include "host/json/json_writer.hpp"
#include "host/plugins/descriptor.hpp"
#include "host/plugins/open_registry.hpp"
#include "host/plugins/scaffold.hpp"
#include "host/plugins/self_test.hpp"
#include "host/process/running_part.hpp"
#include "host/process/this_process.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/trials/run_trials.hpp"
#include "mixop/error.hpp"

namespace mixop::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLongestTimeout = 86400;
constexpr char kListUsage[] = "mixop plugins list [--plugin-dir PATH ...] [--locked[=FILE]] [--json]";
constexpr char kCheckUsage[] = "mixop plugins check FILE [--data DIR] [--timeout S] [--locked[=FILE]] [--json]";
constexpr char kLockUsage[] = "mixop plugins lock [--out FILE] [--plugin-dir PATH ...]";
constexpr char kNewUsage[] = "mixop plugins new KIND NAME [--out DIR]";
constexpr char kPrefixUsage[] = "mixop plugins prefix";

CommandSyntax plugins_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop plugins list|check|lock|new|prefix ...";
  syntax.about = joined(
      {kListUsage, "    what is loaded, and what is refused and why", kCheckUsage,
       "    all checks and the self-test of a plugin file", kLockUsage,
       "    writes down the digests of all plugins that are loaded, for --locked", kNewUsage,
       "    a project for a plugin, such as acme.ghost_conv; KIND is op, chain-op, stable-op, cuda-op, dataset, space,",
       "    relaxation or strategy", kPrefixUsage,
       "    prints where the SDK is, as CMAKE_PREFIX_PATH of a plugin's project takes it", "",
       "Each of them has a --help of its own."},
      "\n");
  add_plugin_options(syntax);
  return syntax;
}

CommandSyntax list_syntax() {
  CommandSyntax syntax;
  syntax.usage = kListUsage;
  syntax.about = "Lists what is loaded, and what is refused and why.";
  syntax.options.add_options()("json", "prints JSON");
  add_plugin_options(syntax);
  return syntax;
}

CommandSyntax check_syntax() {
  CommandSyntax syntax;
  syntax.usage = kCheckUsage;
  syntax.about =
      "Runs all checks of a plugin file, then its self-test in a process of its own. Exit code 4 where one fails.";
  syntax.options.add_options()("timeout", po::value<std::int64_t>()->value_name("S")->default_value(300),
                               "seconds that the self-test may take")(
      "data", po::value<std::string>()->default_value("")->value_name("DIR"), "a folder that the plugin's data sets are tried on")(
      "trials", "runs the trials in this process and prints them for the process that asked")("json", "prints JSON");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

CommandSyntax lock_syntax() {
  CommandSyntax syntax;
  syntax.usage = kLockUsage;
  syntax.about =
      "Writes down the SHA-256 of all plugins that are loaded. With --locked, every command then uses these files "
      "alone.\n"
      "A lock file that is there already is replaced, and what changed is printed.";
  syntax.options.add_options()("out", po::value<std::string>()->default_value(kLockFile)->value_name("FILE"),
                               "the lock file");
  add_plugin_options(syntax);
  return syntax;
}

CommandSyntax new_syntax() {
  CommandSyntax syntax;
  syntax.usage = kNewUsage;
  syntax.about =
      "Writes a project for a plugin, such as acme.ghost_conv, with tests, and a README.md that says how to build it. KIND is\n"
      "op           an operator with code of its own on LibTorch\n"
      "chain-op     an operator that is described, and run by mixop's own kernels; without LibTorch\n"
      "stable-op    an operator with code and a backward pass of its own, on LibTorch's stable C ABI\n"
      "cuda-op      the same with a CUDA kernel\n"
      "dataset      a data set; without LibTorch\n"
      "space        a search space; without LibTorch\n"
      "relaxation   how alphas become weights of the operations\n"
      "strategy     a named strategy with a part of its own";
  syntax.options.add_options()("out", po::value<std::string>()->value_name("DIR"),
                               "the project's folder, which must not exist; default: ./NAME");
  syntax.positionals = 2;
  add_plugin_options(syntax);
  return syntax;
}

CommandSyntax prefix_syntax() {
  CommandSyntax syntax;
  syntax.usage = kPrefixUsage;
  syntax.about =
      "Prints the folder below which this program, the headers and the CMake package are: what a plugin's project is "
      "configured\n"
      "with, cmake -S . -B build -DCMAKE_PREFIX_PATH=\"$(mixop plugins prefix)\".";
  return syntax;
}

/// A row for each loaded plugin; refused ones are warnings on stderr.
void list_as_json(const PluginRegistry& registry, std::ostream& out) {
  JsonWriter json;
  json.begin_list();
  for (const auto& plugin : registry.plugins()) {
    json.begin_object().member("id", plugin->id).member("kind", kind_names(plugin->file.note.kinds));
    json.member("version", plugin->version).member("path", plugin->file.path.string());
    json.member("tier", tier_text(plugin->file.note.tier)).member("sha256", plugin->file.sha256);
    json.member("summary", plugin->summary).key("components").begin_list();
    for (const ComponentInfo& component : plugin->components)
      json.begin_object()
          .member("name", component.name)
          .member("interface", component.interface)
          .member("summary", component.summary)
          .end();
    json.end().end();
  }
  out << json.end().text() << '\n';
}

void list_as_text(const PluginRegistry& registry, std::ostream& out) {
  for (const auto& plugin : registry.plugins()) {
    out << plugin->id << ' ' << plugin->version << "  (" << kind_names(plugin->file.note.kinds) << "; tier "
        << tier_text(plugin->file.note.tier) << ")\n  " << plugin->summary << "\n  "
        << printable(plugin->file.path.string()) << "\n  sha256 " << plugin->file.sha256 << '\n';
    for (const ComponentInfo& component : plugin->components)
      out << "  " << noun_of(component.group) << ' ' << component.name << '\n';
  }
  for (const RefusedPlugin& plugin : registry.refused())
    out << "refused: " << printable(plugin.path.string()) << "\n  " << name_of(plugin.reason.check()) << ": "
        << printable_message(plugin.reason.problem()) << '\n';
  out << registry.plugins().size() << " plugins loaded, " << registry.refused().size() << " refused\n";
}

int list(const Arguments& arguments) {
  const auto values = parse(list_syntax(), arguments);
  if (!values) return 0;
  const PluginRegistry registry = load_plugins(*values);
  values->count("json") != 0 ? list_as_json(registry, std::cout) : list_as_text(registry, std::cout);
  return 0;
}

// What `plugins check` finds out about one file.
struct Findings {
  fs::path path;
  bool locked = false;
  PluginFile file;
  SelfTestReport report;
  std::optional<PluginRefused> refusal;
  bool passed() const { return !refusal && report.passed(); }
};

Findings examine(const fs::path& path, const std::string& data, const std::optional<PluginLock>& lock,
                 std::chrono::milliseconds timeout) {
  Findings findings;
  findings.path = path;
  findings.locked = lock.has_value();
  try {
    findings.file = check_file(path, HostTraits::current());
    if (lock) lock->require_listed(findings.file);
    std::vector<std::string> child = self_test_command();
    if (!data.empty()) child.insert(child.end(), {"--data", fs::absolute(data).string()});
    findings.report = self_test(findings.file, child, timeout);
  } catch (const PluginRefused& reason) {
    findings.refusal = reason;
  }
  return findings;
}

// The checks that ran, in order; the one that failed is the last.
std::vector<std::pair<PluginCheck, bool>> checks_of(const Findings& findings) {
  std::vector<std::pair<PluginCheck, bool>> checks;
  for (int i = 0; i <= static_cast<int>(PluginCheck::self_test); ++i) {
    const auto check = static_cast<PluginCheck>(i);
    if (check == PluginCheck::lock && !findings.locked) continue;
    const bool stopped = findings.refusal && findings.refusal->check() == check;
    checks.emplace_back(check, !stopped && (check != PluginCheck::self_test || findings.report.passed()));
    if (stopped) break;
  }
  return checks;
}

void check_as_json(const Findings& findings, std::ostream& out) {
  JsonWriter json;
  json.begin_object().member("path", findings.path.string()).member("sha256", findings.file.sha256);
  json.member("id", findings.report.id).member("version", findings.report.version).member("passed", findings.passed());
  json.key("checks").begin_list();
  for (const auto& [check, passed] : checks_of(findings)) {
    const bool stopped = findings.refusal && findings.refusal->check() == check;
    json.begin_object().member("check", name_of(check)).member("passed", passed);
    json.member("message", stopped                           ? findings.refusal->problem()
                           : check == PluginCheck::self_test ? findings.report.broken_off
                                                             : std::string())
        .end();
  }
  json.end().key("trials").begin_list();
  for (const Trial& trial : findings.report.trials) {
    json.begin_object().member("component", trial.component).member("trial", trial.name);
    json.member("passed", trial.passed).member("message", trial.detail).end();
  }
  out << json.end().end().text() << '\n';
}

void check_as_text(const Findings& findings, std::ostream& out) {
  for (const auto& [check, passed] : checks_of(findings))
    out << (passed ? "ok      " : "FAILED  ") << name_of(check) << '\n';
  for (const Trial& trial : findings.report.trials) {
    out << (trial.passed ? "ok      " : "FAILED  ") << trial.component << ": " << trial.name << '\n';
    if (!trial.detail.empty()) out << "        " << printable_message(trial.detail) << '\n';
  }
}

std::chrono::seconds timeout_of(const po::variables_map& values) {
  const std::int64_t timeout = values["timeout"].as<std::int64_t>();
  if (timeout < 1 || timeout > kLongestTimeout)
    throw Error(ErrorCode::usage, "plugins check: --timeout expects 1 to " + std::to_string(kLongestTimeout) +
                                      " seconds, found " + std::to_string(timeout));
  return std::chrono::seconds(timeout);
}

int check(const Arguments& arguments) {
  const auto values = parse(check_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  if (given.empty())
    throw Error(ErrorCode::usage, "plugins check: a plugin's file is missing\nUsage: " + check_syntax().usage);
  const fs::path path = fs::absolute(given.front()).lexically_normal();
  if (values->count("trials") != 0) {
    allow_exit();
    leave_crashes();
    run_trials(path, text(*values, "data"), std::cout);
    return 0;
  }
  const Findings findings = examine(path, text(*values, "data"), plugin_lock(*values), timeout_of(*values));
  values->count("json") != 0 ? check_as_json(findings, std::cout) : check_as_text(findings, std::cout);
  if (findings.refusal) throw *findings.refusal;
  require_passed(findings.report, findings.file);
  std::cerr << "plugin " << printable(path.string()) << " passed all checks\n";
  return 0;
}

int write_lock(const Arguments& arguments) {
  const auto values = parse(lock_syntax(), arguments);
  if (!values) return 0;
  const fs::path file = output_path(text(*values, "out")).lexically_normal();
  const std::optional<PluginLock> old = PluginLock::replaceable(file);
  require_writable(file);
  const PluginLock lock = PluginLock::of(load_plugins(*values));
  lock.write(file);
  std::cout << "wrote " << printable(file.string()) << ": " << lock.plugins().size() << " plugins\n"
            << (old ? lock.changes_since(*old) : "");
  return 0;
}

int print_prefix(const Arguments& arguments) {
  if (!parse(prefix_syntax(), arguments)) return 0;
  const fs::path prefix = installed("");
  const fs::path package = prefix / "lib/cmake/mixop/mixopConfig.cmake";
  if (!fs::exists(package))
    throw Error(ErrorCode::failed, "plugins prefix: " + package.string() +
                                       " is missing, without which plugins cannot be built; install mixop again");
  std::cout << prefix.parent_path().string() << '\n';
  return 0;
}

int make_new(const Arguments& arguments) {
  const auto values = parse(new_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  if (given.size() != 2)
    throw Error(ErrorCode::usage, "plugins new: expected a kind and a name, such as op acme.ghost_conv\nUsage: " +
                                      new_syntax().usage);
  fs::path folder = output_path(text(*values, "out", given[1])).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "DIR/"
  write_plugin_project(installed("share/mixop/templates"), given[0], given[1], folder);
  std::cout << "wrote " << printable(folder.string()) << "; its README.md says how to build and try it\n";
  return 0;
}

}  // namespace

int plugins_command(const std::vector<std::string>& arguments) {
  const std::string word = arguments.empty() ? "" : arguments[0];
  if (word.rfind('-', 0) == 0 && !parse(plugins_syntax(), arguments)) return 0;
  const Arguments rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (word == "list") return list(rest);
  if (word == "check") return check(rest);
  if (word == "lock") return write_lock(rest);
  if (word == "new") return make_new(rest);
  if (word == "prefix") return print_prefix(rest);
  throw Error(ErrorCode::usage, "plugins: expected list, check, lock, new or prefix" +
                                    (word.empty() ? "" : ", found '" + excerpt(word) + "'") +
                                    did_you_mean(word, {"list", "check", "lock", "new", "prefix"}) +
                                    "\nUsage: " + plugins_syntax().usage);
}

}  // namespace mixop::cli
