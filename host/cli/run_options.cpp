#include "host/cli/run_options.hpp"

#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "host/cli/metrics_options.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/printable.hpp"

namespace mixop::cli {
void add_run_options(CommandSyntax& syntax, const std::string& archive, const std::string& out) {
  const auto option = [&](const char* name, const std::string& help) {
    syntax.options.add_options()(name, help.c_str());
  };
  const auto text_option = [&](const char* name, const char* value, const std::string& help) {
    syntax.options.add_options()(name, po::value<std::string>()->value_name(value), help.c_str());
  };
  syntax.options.add_options()("set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
                               "sets a key; lists also take =+a,b (append) and =-a (remove)");
  text_option("seed", "N", "short for --set seed=N");
  text_option("data", "DIR", "where the data lies; default: the environment's MIXOP_DATA");
  text_option("out", archive.c_str(), "the archive to write; default: " + out);
  text_option("weights", "FILE", "begins with the weights of a .pt or safetensors file instead of drawing them");
  option("resume", "goes on where " + archive + " stopped, to the same bits as a run that never stopped");
  option("overwrite", "replaces an existing " + archive);
  option("dry-run", "prints the resolved configuration and the predicted memory");
  option("keys", "lists all configuration keys");
  option("json", "prints the result as JSON");
  syntax.positionals = 64;
  add_metrics_options(syntax);
  add_plugin_options(syntax);
}

void read_config(const po::variables_map& values, const Arguments& words, RunRequest& request) {
  if (values.count("set") != 0) request.sets = values["set"].as<Arguments>();
  for (const std::string& argument : words) {
    std::error_code unknown;
    if (argument.find('=') != std::string::npos && !std::filesystem::exists(argument, unknown)) {
      request.sets.push_back(argument);
      continue;
    }
    if (!request.preset_or_file.empty())
      throw Error(ErrorCode::usage, "one preset or config file is expected, found '" + printable(request.preset_or_file) +
                                        "' and '" + argument + "'");
    request.preset_or_file = argument;
    if (is_pipe(argument)) request.config_text = read_plain_text(argument, ErrorCode::usage);
  }
  for (const auto& [option, key] : {std::pair("strategy", "search.strategy"), {"seed", "seed"}})
    if (values.count(option) != 0) request.sets.push_back(std::string(key) + "=" + text(values, option));
  if (values.count("data") != 0) request.data = text(values, "data");
}

void read_run(const po::variables_map& values, const Arguments& arguments, const std::string& out,
              RunRequest& request) {
  const std::pair<const char*, Start> starts[] = {
      {"resume", Start::resume}, {"continue", Start::more}, {"overwrite", Start::overwrite}};
  for (const auto& [option, start] : starts) {
    if (values.count(option) == 0) continue;
    if (request.start != Start::fresh)
      throw Error(ErrorCode::usage, "--resume, --continue and --overwrite exclude each other; give one of them");
    request.start = start;
  }
  request.out = output_path(text(values, "out", out));
  request.weights = text(values, "weights");
  if (!request.weights.empty() && request.goes_on())
    throw Error(ErrorCode::usage, "--weights begins a new run, and --resume and --continue go on with the archive's weights; leave it out");
  request.metrics = metrics_options(values, request.out);
  request.command_line = command_line(run_kind_name(request.kind), arguments);
  read_config(values, positionals(values), request);
}

bool print_keys(const po::variables_map& values, const OptionCatalog& catalog, RunKind kind) {
  if (values.count("keys") == 0) return false;
  if (values.count("json") != 0) throw Error(ErrorCode::usage, "--keys lists the keys as text alone; leave --json out");
  std::cout << describe_keys(catalog, kind);
  return true;
}

void print_forecast(const RunForecast& forecast) {
  if (!forecast.data_missing.empty()) say("the memory cannot be predicted without the data: " + forecast.data_missing);
  std::cout << printable_json(to_json(forecast.config)) << std::endl;
  if (forecast.peak_memory) say_memory(*forecast.peak_memory);
}

void say_memory(std::int64_t bytes, const std::string& left_out) {
  say("predicted peak memory: about " + std::to_string(bytes >> 20) +
      " MiB resident; runs were seen to take up to a tenth more or less. Not in it: " + left_out +
      "a GPU's own memory");
}

std::string command_line(const std::string& command, const Arguments& arguments) {
  std::string line = "mixop " + command;
  for (const std::string& argument : arguments) line += " " + argument;
  return line;
}

void say_end(RunKind kind, RunEnd end, const std::filesystem::path& out) {
  const std::string command = run_kind_name(kind);
  say((end == RunEnd::interrupted ? "interrupted; go on with: mixop " + command + " --resume --out " : "archive: ") +
      out.string());
}

TerminalObserver::TerminalObserver() : progress_(isatty(STDERR_FILENO) != 0) {}

void TerminalObserver::on_line(const std::string& line) {
  progress_.end_line();
  say(line);
}

void TerminalObserver::on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
                               const Metrics& means, const Task& task) {
  progress_.step(at, step, steps, loss, means, task);
}

void TerminalObserver::on_epoch(const SearchPosition& at, const Metrics& metrics, const Task& task) {
  progress_.epoch(at, metrics, task);
}

}  // namespace mixop::cli
