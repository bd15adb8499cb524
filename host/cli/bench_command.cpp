#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "host/bench/against.hpp"
#include "host/bench/steps.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/config/resolve.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMany = 1'000'000;

CommandSyntax bench_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop bench cnn|rnn [--order 1|2] [--batch N] [--threads N] [--execution fused|plain] [--against COMMAND] [--json]";
  syntax.about =
      "Times steps of a search on drawn data, as mixop search runs them. cnn: darts_cnn, 16 channels, 8 cells, images "
      "of 3x32x32.\n"
      "rnn: darts_rnn without dropout and penalties, its weights stepped with momentum, the virtual step that of all "
      "weights.\n"
      "--against runs another program by turns with this one: its last line must be JSON with\n"
      "step_s.median and peak_rss_mb; the ratio is its time over ours, so that above 1 is faster.";
  const auto number = [](std::int64_t value) {
    return po::value<std::int64_t>()->value_name("N")->default_value(value);
  };
  syntax.options.add_options()("order", number(2), "1: first-order DARTS, 2: second-order")(
      "batch", number(64), "images of a step")("channels", number(16), "channels of the first cells")(
      "layers", number(8), "cells")("width", number(300), "rnn: embedding and hidden state")(
      "bptt", number(35), "rnn: words of a sequence")("tokens", number(10000), "rnn: words of the vocabulary")(
      "steps", number(5), "timed steps")("warmup", number(1), "steps before them")(
      "threads", number(0), "CPU threads; 0 uses all cores")("seed", number(2), "seed of weights and images")(
      "device", po::value<std::string>()->default_value("auto"), "auto, cpu, cuda or cuda:N")(
      "execution", po::value<std::string>()->default_value("fused"), "fused or plain")(
      "isa", po::value<std::string>()->value_name("SET"), "instruction set of the kernels: avx512, avx2 or generic")(
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

using Sets = std::vector<std::pair<std::string, std::string>>;

/// Drawn data, enough of it for an epoch that does not end before the steps do.
Sets cnn_sets(const po::variables_map& values, std::int64_t steps) {
  const std::int64_t images = 2 * number(values, "batch", 1, kMany) * steps;
  return {{"data.name", "synthetic"},
          {"synthetic.train", std::to_string(images)},
          {"space.channels", std::to_string(values["channels"].as<std::int64_t>())},
          {"space.layers", std::to_string(values["layers"].as<std::int64_t>())}};
}

Sets rnn_sets(const po::variables_map& values, std::int64_t steps) {
  const std::int64_t bptt = number(values, "bptt", 2, 10000);
  // A last row alone is no step, and shortened sequences make more of them.
  const std::int64_t words = number(values, "batch", 1, kMany) * (bptt * steps + 2);
  Sets sets{{"data.name", "synthetic_text"},
            {"synthetic_text.train", std::to_string(words)},
            {"synthetic_text.valid", std::to_string(words)},
            {"synthetic_text.vocabulary", std::to_string(number(values, "tokens", 2, kMany))},
            {"data.bptt", std::to_string(bptt)},
            {"space.width", std::to_string(values["width"].as<std::int64_t>())},
            {"weights.lr", "0.025"},
            {"weights.lr_min", "0.025"},
            {"weights.momentum", "0.9"},
            {"weights.decay", "3e-4"},
            {"weights.clip", "5"}};
  for (const char* off : {"dropout", "dropouth", "dropoutx", "dropouti", "dropoute", "alpha", "beta"})
    sets.emplace_back(std::string("darts_rnn.") + off, "0");
  for (const char* off : {"clip", "uncapped", "stale_tied"})
    sets.emplace_back(std::string("second_order.") + off, "false");
  return sets;
}

Config config_of(const po::variables_map& values, const std::string& task, const BenchPlan& plan,
                 const PluginRegistry& plugins) {
  const bool cnn = task == "cnn";
  for (const char* option :
       cnn ? std::vector<const char*>{"width", "bptt", "tokens"} : std::vector<const char*>{"channels", "layers"})
    if (!values[option].defaulted())
      throw Error(ErrorCode::usage, std::string("bench: --") + option + " means nothing to " + task + "; leave it out");
  ConfigRequest request;
  request.preset_folders = preset_folders(plugins);
  request.preset_or_file = cnn ? "darts-cifar10" : "darts-ptb-search";
  Sets sets = cnn ? cnn_sets(values, plan.warmup + plan.steps) : rnn_sets(values, plan.warmup + plan.steps);
  sets.emplace_back("search.batch", std::to_string(values["batch"].as<std::int64_t>()));
  sets.emplace_back("search.strategy", number(values, "order", 1, 2) == 1 ? "first_order" : "second_order");
  for (const char* key : {"threads", "seed"}) sets.emplace_back(key, std::to_string(values[key].as<std::int64_t>()));
  for (const char* key : {"device", "execution"}) sets.emplace_back(key, text(values, key));
  for (const auto& [key, value] : sets) request.sets.push_back(key + "=" + value);
  return resolve_config(request, option_catalog(plugins));
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
  if (task != "cnn" && task != "rnn")
    throw Error(ErrorCode::usage, "bench: expected cnn or rnn" +
                                      (task.empty() ? "" : ", found '" + excerpt(task) + "'") +
                                      "\nUsage: " + bench_syntax().usage);
  const BenchPlan plan{number(*values, "warmup", 0, kMany), number(*values, "steps", 1, kMany)};
  const std::int64_t rounds = number(*values, "rounds", 1, 1000);
  if (values->count("isa") != 0) setenv("MIXOP_ISA", text(*values, "isa").c_str(), 1);
  const bool json = values->count("json") != 0;
  const PluginRegistry plugins = load_plugins(*values);
  const Config config = config_of(*values, task, plan, plugins);
  (void)device_of(config.device);
  if (const std::string fewer = fewer_threads(config.threads); !fewer.empty()) say(fewer);
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
