#include <algorithm>
#include <cstdio>
#include <iostream>

#include "host/bench/against.hpp"
#include "host/bench/steps.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/run_setup.hpp"
#include "host/config/resolve.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMany = 1'000'000;

CommandSyntax bench_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop bench cnn [--order 1|2] [--batch N] [--threads N] [--against COMMAND] [--json]";
  syntax.about =
      "Times steps of the published search on drawn images of 3x32x32, as mixop search runs them (cnn: darts_cnn, 16\n"
      "channels, 8 cells). --against runs another program by turns with this one: its last line must be JSON with\n"
      "step_s.median and peak_rss_mb; the ratio is its time over ours, so that above 1 is faster.";
  const auto number = [](std::int64_t value) {
    return po::value<std::int64_t>()->value_name("N")->default_value(value);
  };
  syntax.options.add_options()("order", number(2), "1: first-order DARTS, 2: second-order")(
      "batch", number(64), "images of a step")("channels", number(16), "channels of the first cells")(
      "layers", number(8), "cells")("steps", number(5), "timed steps")("warmup", number(1), "steps before them")(
      "threads", number(0), "CPU threads; 0 uses all cores")("seed", number(2), "seed of weights and images")(
      "device", po::value<std::string>()->default_value("auto"), "auto, cpu, cuda or cuda:N")(
      "against", po::value<std::string>()->value_name("COMMAND"), "the other program, a shell command")(
      "rounds", number(1), "with --against: runs of both")("json", "prints JSON");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

std::int64_t number(const po::variables_map& values, const char* name, std::int64_t least, std::int64_t most) {
  const std::int64_t value = values[name].as<std::int64_t>();
  if (value < least || value > most)
    throw Error(ErrorCode::usage, std::string("bench: --") + name + " expects " + std::to_string(least) + " to " +
                                      std::to_string(most) + ", found " + std::to_string(value));
  return value;
}

/// The published search on drawn images, enough of them for an epoch that does not end before the steps do.
Config config_of(const po::variables_map& values, const BenchPlan& plan, const OptionCatalog& catalog) {
  const std::int64_t batch = number(values, "batch", 1, kMany);
  const std::int64_t images = 2 * batch * (plan.warmup + plan.steps);
  ConfigRequest request;
  request.presets_folder = presets_folder();
  request.preset_or_file = "darts-cifar10";
  request.sets = {
      "data.name=synthetic", "synthetic.train=" + std::to_string(images), "search.batch=" + std::to_string(batch),
      std::string("search.strategy=") + (number(values, "order", 1, 2) == 1 ? "first_order" : "second_order")};
  const std::pair<const char*, const char*> keys[] = {
      {"channels", "space.channels"}, {"layers", "space.layers"}, {"threads", "threads"}, {"seed", "seed"}};
  for (const auto& [option, key] : keys)
    request.sets.push_back(std::string(key) + "=" + std::to_string(values[option].as<std::int64_t>()));
  request.sets.push_back("device=" + text(values, "device"));
  return resolve_config(request, catalog);
}

StepTimes measure(const Config& config, const BenchPlan& plan, const PluginRegistry& plugins) {
  const ComponentOptions options = options_of(config);
  const DatasetHandle data = open_data(config, plugins, options);
  Search search(config, plugins, options, data);
  return time_search_steps(search, plan);
}

void print(const StepTimes& times, bool json) {
  const double middle = median(times.seconds);
  const auto [least, most] = std::minmax_element(times.seconds.begin(), times.seconds.end());
  if (!json) {
    std::printf("%.4f s a step (median of %zu; %.4f to %.4f), %lld MiB at the peak, %lld parameters\n", middle,
                times.seconds.size(), *least, *most, static_cast<long long>(times.peak_rss_mb),
                static_cast<long long>(times.parameters));
    return;
  }
  JsonWriter writer(JsonWriter::Style::compact);
  writer.begin_object().member("median_s", middle).key("step_s").begin_object();
  writer.member("median", middle).member("min", *least).member("max", *most).end();
  writer.member("peak_rss_mb", times.peak_rss_mb).member("parameters", times.parameters).end();
  std::cout << writer.text() << std::endl;
}

void print(const Comparison& comparison, bool json) {
  const auto& [ours, against] = comparison;
  if (!json) {
    std::printf("           %12s  %12s\n", "s a step", "peak MiB");
    std::printf("mixop      %12.4f  %12lld\n", ours.median_s, static_cast<long long>(ours.peak_rss_mb));
    std::printf("against    %12.4f  %12lld\n", against.median_s, static_cast<long long>(against.peak_rss_mb));
    std::printf("%.2f times as fast with %.2f of the memory\n", comparison.ratio(),
                static_cast<double>(ours.peak_rss_mb) / static_cast<double>(against.peak_rss_mb));
    return;
  }
  JsonWriter writer(JsonWriter::Style::compact);
  writer.begin_object().member("median_s", ours.median_s).member("against_median_s", against.median_s);
  writer.member("ratio", comparison.ratio()).member("peak_rss_mb", ours.peak_rss_mb);
  std::cout << writer.member("against_peak_rss_mb", against.peak_rss_mb).end().text() << std::endl;
}

/// The arguments at hand for a process of its own: without the comparison, with JSON.
Arguments own_arguments(const Arguments& arguments) {
  Arguments command{"bench"};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--against" || arguments[i] == "--rounds") {
      ++i;
    } else if (arguments[i].rfind("--against=", 0) != 0 && arguments[i].rfind("--rounds=", 0) != 0 &&
               arguments[i] != "--json") {
      command.push_back(arguments[i]);
    }
  }
  command.push_back("--json");
  return command;
}

}  // namespace

int bench_command(const Arguments& arguments) {
  const auto values = parse(bench_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  const std::string task = given.empty() ? "" : given.front();
  if (task != "cnn")
    throw Error(ErrorCode::usage, "bench: expected cnn" + (task.empty() ? "" : ", found '" + task + "'") +
                                      "\nUsage: " + bench_syntax().usage);
  const BenchPlan plan{number(*values, "warmup", 0, kMany), number(*values, "steps", 1, kMany)};
  const std::int64_t rounds = number(*values, "rounds", 1, 1000);
  const bool json = values->count("json") != 0;
  const PluginRegistry plugins = load_plugins(*values);
  const Config config = config_of(*values, plan, option_catalog(plugins));
  (void)device_of(config.device);
  if (values->count("against") == 0) {
    print(measure(config, plan, plugins), json);
    return 0;
  }
  Arguments own = own_arguments(arguments);
  const std::string name = "mixop " + joined(own, " ");
  own.insert(own.begin(), "/proc/self/exe");
  print(compare_by_turns(own, name, text(*values, "against"), rounds), json);
  return 0;
}

}  // namespace mixop::cli
