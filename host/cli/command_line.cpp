#include "host/cli/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "host/archive/user_block.hpp"
#include "host/json/json_writer.hpp"
#include "host/plugins/open_registry.hpp"
#include "host/process/this_process.hpp"
#include "host/session/archived_plugins.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"

namespace mixop::cli {
namespace {

std::vector<std::string> option_names(const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back("--" + option->long_name());
  return names;
}

}  // namespace

std::optional<po::variables_map> parse(const CommandSyntax& syntax, Arguments arguments) {
  // Boost would take the word behind such an option without a value as its value.
  for (const auto& [option, value] :
       {std::pair("--locked", kLockFile), {"--metrics", kMetricsFile}, {"--tensorboard", kEventsFolder}})
    std::replace(arguments.begin(), arguments.end(), std::string(option), option + std::string("=") + value);
  po::options_description all;
  all.add(syntax.options).add_options()("help,h", "this text");
  po::options_description hidden;
  hidden.add(all).add_options()("argument", po::value<Arguments>(), "");
  po::positional_options_description positional;
  positional.add("argument", -1);
  po::variables_map values;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(hidden).positional(positional).style(style).run(), values);
    if (values.count("help") != 0) {
      std::cout << "Usage: " << syntax.usage << "\n\n" << syntax.about << "\n\n" << syntax.options << std::flush;
      return std::nullopt;
    }
    po::notify(values);
  } catch (const po::unknown_option& error) {
    throw Error(ErrorCode::usage, "unknown option '" + excerpt(error.get_option_name()) + "'" +
                                      did_you_mean(error.get_option_name(), option_names(syntax.options)) +
                                      "\nUsage: " + syntax.usage);
  } catch (const po::error& error) {
    throw Error(ErrorCode::usage, excerpt(error.what(), 1000) + "\nUsage: " + syntax.usage);
  }
  const Arguments given = positionals(values);
  if (static_cast<int>(given.size()) > syntax.positionals)
    throw Error(ErrorCode::usage, "unexpected argument '" +
                                      excerpt(given[static_cast<std::size_t>(syntax.positionals)]) +
                                      "'\nUsage: " + syntax.usage);
  return values;
}

Arguments positionals(const po::variables_map& values) {
  return values.count("argument") != 0 ? values["argument"].as<Arguments>() : Arguments{};
}

std::string text(const po::variables_map& values, const std::string& name, const std::string& fallback) {
  return values.count(name) != 0 ? values[name].as<std::string>() : fallback;
}

std::filesystem::path output_path(const std::string& name) {
  return name.empty() ? std::filesystem::path() : std::filesystem::absolute(name);
}

void add_plugin_options(CommandSyntax& syntax) {
  syntax.options.add_options()("plugin-dir", po::value<std::vector<std::string>>()->composing()->value_name("PATH"),
                               "a folder of plugins, or one plugin file, loaded first; may be given more than once")(
      "locked", po::value<std::string>()->implicit_value(kLockFile)->value_name("FILE"),
      "uses the plugins of this lock file alone; see mixop plugins lock");
}

Arguments plugin_arguments(const po::variables_map& values) {
  Arguments arguments;
  if (values.count("plugin-dir") != 0)
    for (const std::string& place : values["plugin-dir"].as<std::vector<std::string>>())
      arguments.insert(arguments.end(), {"--plugin-dir", std::filesystem::absolute(place).string()});
  if (values.count("locked") != 0) arguments.push_back("--locked=" + std::filesystem::absolute(text(values, "locked")).string());
  return arguments;
}

/// Of an archive, what it was written with and lacks now, before anything of it is said to be unknown.
void say_missing_plugins(const std::string& word, const PluginRegistry& plugins) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(word, failure) || !is_archive_file(word)) return;
  try {
    for (const std::string& plugin : missing_plugins(Archive::open(word), plugins))
      say("warning: " + word + " was written with the plugin " + plugin +
          ", which is not loaded; name its file or folder by --plugin-dir");
  } catch (const Error&) {  // what is wrong with the archive is said where it is read
  }
}

std::optional<PluginLock> plugin_lock(const po::variables_map& values) {
  if (values.count("locked") == 0) return std::nullopt;
  return PluginLock::read(std::filesystem::absolute(text(values, "locked")).lexically_normal());
}

Application open_application(const po::variables_map& values) { return Application(load_plugins(values)); }

PluginRegistry load_plugins(const po::variables_map& values) {
  std::vector<std::string> folders;
  if (values.count("plugin-dir") != 0) folders = values["plugin-dir"].as<std::vector<std::string>>();
  PluginRegistry plugins = open_registry(folders, plugin_lock(values), std::cerr);
  for (const auto& [option, value] : values) {
    if (const auto* one = boost::any_cast<std::string>(&value.value())) say_missing_plugins(*one, plugins);
    if (const auto* all = boost::any_cast<std::vector<std::string>>(&value.value()))
      for (const std::string& word : *all) say_missing_plugins(word, plugins);
  }
  return plugins;
}

std::string output_message(int problem) {
  return std::string("standard output cannot be written: ") +
         (problem == kUnknownProblem ? "a write before its end failed" : std::strerror(problem)) +
         "; the result is not printed whole, so print it again to another place";
}

namespace {
bool refused = false;
}

void require_output() {
  const int problem = output_problem();
  if (problem == 0) return;
  refused = true;
  throw Error(ErrorCode::failed, output_message(problem));
}

bool output_was_refused() { return refused; }

void say(const std::string& message) { std::cerr << "mixop: " << printable_message(message) << std::endl; }

void print_file(const po::variables_map& values, const char* key, const std::string& file) {
  if (values.count("json") == 0) {
    std::cout << printable(file) << std::endl;
    return;
  }
  JsonWriter json;
  std::cout << json.begin_object().member(key, file).end().text() << std::endl;
}

}  // namespace mixop::cli
