#include "host/cli/plugins_command.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <optional>

#include "host/json/json_writer.hpp"
#include "host/plugins/descriptor.hpp"
#include "host/plugins/open_registry.hpp"
#include "host/plugins/scaffold.hpp"
#include "host/plugins/self_test.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr char kUsage[] =
    "mixop plugins list  [--plugin-dir DIR ...] [--json]   what is loaded, and what is refused and why\n"
    "mixop plugins check FILE [--timeout S] [--json]       all checks and the self-test of a plugin file\n"
    "mixop plugins new op NAME [--out DIR]                 a project for an operator, such as acme.ghost_conv\n";

struct Arguments {
  po::variables_map values;
  std::vector<std::string> words;
  bool has(const char* name) const { return values.count(name) != 0 && values[name].as<bool>(); }
};

Arguments parse(const std::string& command, const std::vector<std::string>& arguments,
                const po::options_description& own) {
  po::options_description all;
  all.add(own).add_options()("words", po::value<std::vector<std::string>>()->default_value({}, ""));
  po::positional_options_description positions;
  positions.add("words", -1);
  Arguments parsed;
  try {
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(all).positional(positions).style(style).run(), parsed.values);
    po::notify(parsed.values);
  } catch (const po::error& error) {
    throw Error(ErrorCode::usage, "plugins " + command + ": " + error.what() + ". Usage:\n" + kUsage);
  }
  parsed.words = parsed.values["words"].as<std::vector<std::string>>();
  return parsed;
}

void require_words(const std::string& command, const Arguments& arguments, std::size_t count) {
  if (arguments.words.size() != count)
    throw Error(ErrorCode::usage, "plugins " + command + ": expected " + std::to_string(count) + " names, found " +
                                      std::to_string(arguments.words.size()) + ". Usage:\n" + kUsage);
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
      json.begin_object().member("name", component.name).member("interface", component.interface).end();
    json.end().end();
  }
  out << json.end().text() << '\n';
}

void list_as_text(const PluginRegistry& registry, std::ostream& out) {
  for (const auto& plugin : registry.plugins()) {
    out << plugin->id << ' ' << plugin->version << "  (" << kind_names(plugin->file.note.kinds) << "; tier "
        << tier_text(plugin->file.note.tier) << ")\n  " << plugin->summary << "\n  " << plugin->file.path.string()
        << "\n  sha256 " << plugin->file.sha256 << '\n';
    for (const ComponentInfo& component : plugin->components)
      out << "  " << noun_of(component.interface) << ' ' << component.name << '\n';
  }
  for (const RefusedPlugin& plugin : registry.refused())
    out << "refused: " << plugin.path.string() << "\n  " << name_of(plugin.reason.check()) << ": "
        << plugin.reason.problem() << '\n';
  out << registry.plugins().size() << " plugins loaded, " << registry.refused().size() << " refused\n";
}

int list(const std::vector<std::string>& given, std::ostream& out, std::ostream& messages) {
  po::options_description options;
  options.add_options()("json", po::bool_switch())(
      "plugin-dir", po::value<std::vector<std::string>>()->composing()->default_value({}, ""));
  const Arguments arguments = parse("list", given, options);
  require_words("list", arguments, 0);
  const PluginRegistry registry =
      open_registry(arguments.values["plugin-dir"].as<std::vector<std::string>>(), messages);
  if (arguments.has("json"))
    list_as_json(registry, out);
  else
    list_as_text(registry, out);
  return 0;
}

// What `plugins check` finds out about one file.
struct Findings {
  fs::path path;
  PluginFile file;
  SelfTestReport report;
  std::optional<PluginRefused> refusal;
  bool passed() const { return !refusal && report.passed(); }
};

Findings examine(const fs::path& path, std::chrono::milliseconds timeout) {
  Findings findings;
  findings.path = path;
  try {
    findings.file = check_file(path, HostTraits::current());
    findings.report = self_test(findings.file, self_test_command(), timeout);
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
    json.member("message", stopped ? findings.refusal->problem() : std::string()).end();
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
    if (!trial.passed) out << "        " << trial.detail << '\n';
  }
}

int check(const std::vector<std::string>& given, std::ostream& out, std::ostream& messages) {
  po::options_description options;
  options.add_options()("json", po::bool_switch())("trials", po::bool_switch())("timeout",
                                                                                po::value<int>()->default_value(300));
  const Arguments arguments = parse("check", given, options);
  require_words("check", arguments, 1);
  const fs::path path = fs::absolute(arguments.words[0]).lexically_normal();
  if (arguments.has("trials")) {
    run_trials(path, out);
    return 0;
  }
  const int timeout = arguments.values["timeout"].as<int>();
  if (timeout < 1)
    throw Error(ErrorCode::usage,
                "plugins check: --timeout expects at least 1 second, found " + std::to_string(timeout));
  const Findings findings = examine(path, std::chrono::seconds(timeout));
  if (arguments.has("json"))
    check_as_json(findings, out);
  else
    check_as_text(findings, out);
  if (findings.refusal) throw *findings.refusal;
  require_passed(findings.report, findings.file);
  messages << "plugin " << path.string() << " passed all checks\n";
  return 0;
}

int make_new(const std::vector<std::string>& given, std::ostream& out) {
  po::options_description options;
  options.add_options()("out", po::value<std::string>()->default_value(""));
  const Arguments arguments = parse("new", given, options);
  require_words("new", arguments, 2);
  if (arguments.words[0] != "op")
    throw Error(ErrorCode::usage, "plugins new: expected 'op', found '" + arguments.words[0] + "'. Usage:\n" + kUsage);
  const std::string& name = arguments.words[1];
  const std::string target = arguments.values["out"].as<std::string>();
  const fs::path folder = fs::absolute(target.empty() ? name : target).lexically_normal();
  write_operator_project(name, folder);
  out << "wrote " << folder.string() << "; its README.md says how to build and try it\n";
  return 0;
}

}  // namespace

int plugins_command(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& messages) {
  const bool help = std::any_of(arguments.begin(), arguments.end(),
                                [](const std::string& word) { return word == "--help" || word == "-h"; });
  if (help) {
    out << kUsage;
    return 0;
  }
  if (arguments.empty())
    throw Error(ErrorCode::usage, std::string("plugins: expected list, check or new. Usage:\n") + kUsage);
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "list") return list(rest, out, messages);
  if (arguments[0] == "check") return check(rest, out, messages);
  if (arguments[0] == "new") return make_new(rest, out);
  throw Error(ErrorCode::usage,
              "plugins: expected list, check or new, found '" + arguments[0] + "'. Usage:\n" + kUsage);
}

}  // namespace mixop
