#pragma once

#include <boost/program_options.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/plugins/plugin_lock.hpp"
#include "host/plugins/registry.hpp"
#include "host/session/application.hpp"

namespace mixop::cli {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

/// One command of the program.
struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments& arguments);
  bool computes = false;  ///< with threads
};

/// All commands, in the order in which `mixop --help` lists them.
const std::vector<Command>& commands();

/// The lock file that `plugins lock` writes and --locked reads where no other is named: in the current folder.
inline constexpr char kLockFile[] = "plugins.lock";

/// Where --metrics and --tensorboard write where they name no other place: beside the archive.
inline constexpr char kMetricsFile[] = "metrics.jsonl";
inline constexpr char kEventsFolder[] = "tensorboard";

/// What a command understands.
struct CommandSyntax {
  std::string usage;  ///< "mixop draw GENOTYPE -o FILE"
  std::string about;  ///< a few sentences for --help
  po::options_description options{"Options"};
  int positionals = 0;  ///< how many arguments without a dash it takes at most; they are under "argument"
};

/// The parsed arguments, or nothing after --help was printed. Unknown options and missing values are usage errors.
std::optional<po::variables_map> parse(const CommandSyntax& syntax, Arguments arguments);

/// The arguments without a dash.
Arguments positionals(const po::variables_map& values);

/// The text of an option, or `fallback`.
std::string text(const po::variables_map& values, const std::string& name, const std::string& fallback = "");

/// An output as an absolute path, which a plugin that leaves the current folder does not move. Asked before plugins are
/// loaded. An empty name stays empty.
std::filesystem::path output_path(const std::string& name);

/// Adds --plugin-dir and --locked, which load_plugins() reads.
void add_plugin_options(CommandSyntax& syntax);
/// The lock file of --locked.
std::optional<PluginLock> plugin_lock(const po::variables_map& values);
/// The options of add_plugin_options() as they were given, with absolute names: for another process of this program.
Arguments plugin_arguments(const po::variables_map& values);
/// The plugins of all places, see open_registry(). Refused ones are warnings on stderr.
PluginRegistry load_plugins(const po::variables_map& values);
/// What sessions share, with the plugins of all places.
Application open_application(const po::variables_map& values);

/// What is said of standard output that could not be written, for an errno.
std::string output_message(int problem);

/// Throws failed unless all that was printed so far is written: what a run found must not be lost quietly.
void require_output();
/// Whether require_output() has thrown, so that its message is not printed twice.
bool output_was_refused();

/// Prints the name of the file that a command has written; with --json as an object of that key.
void print_file(const po::variables_map& values, const char* key, const std::string& file);

/// A line on stderr.
void say(const std::string& message);

}  // namespace mixop::cli
