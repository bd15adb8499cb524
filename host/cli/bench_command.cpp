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
#include "host/search/search.hpp"
#include "host/session/genotype_argument.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/training.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMany = 1'000'000;

CommandSyntax bench_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop bench cnn|rnn|ddarts|train [--order 1|2 | --strategy S] [--set KEY=VALUE ...] [--batch N] [--threads N]\n"
      "                   [--execution fused|plain] [--against COMMAND] [--json]";
  syntax.about =
      "Times steps on drawn data, as mixop search and mixop train run them. cnn: a search of darts_cnn on images of "
      "3x32x32.\n"
      "rnn: a search of darts_rnn without dropout and penalties, its weights stepped with momentum, the virtual step "
      "that of all weights.\n"
      "ddarts: the search of the preset ddarts-cifar10. train: the network of DARTS_V2 without auxiliary head, drop-path and cutout.\n"
      "--against runs another program by turns with this one: its last line must be JSON with\n"
      "step_s.median and peak_rss_mb; the ratio is its time over ours, so that above 1 is faster.";
  const auto number = [](std::int64_t value) {
    return po::value<std::int64_t>()->value_name("N")->default_value(value);
  };
  const auto own = [] { return po::value<std::int64_t>()->value_name("N"); };
  syntax.options.add_options()("order", own(), "cnn, rnn: 1: first-order DARTS, 2: second-order (default)")(
      "strategy", po::value<std::string>()->value_name("S"), "cnn, rnn, ddarts: in place of --order's")(
      "set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"), "changes a key of the run, as in mixop search")(
      "batch", number(64), "records of a step")("channels", own(), "of the first cells; default: 16, train 36")(
      "layers", own(), "cells; default: cnn 8, ddarts 8, train 20")("width", own(), "rnn: embedding and hidden state; default: 300")(
      "bptt", own(), "rnn: words of a sequence; default: 35")("tokens", own(), "rnn: words of the vocabulary; default: 10000")(
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

/// The value of an option, checked; `absent` where it is not given.
std::int64_t number(const po::variables_map& values, const std::string& name, std::int64_t absent, std::int64_t least,
                    std::int64_t most) {
  const std::int64_t value = values.count(name) != 0 ? values[name].as<std::int64_t>() : absent;
  if (value < least || value > most)
    throw Error(ErrorCode::usage, "bench: --" + name + " expects " + std::to_string(least) + " to " +
                                      std::to_string(most) + ", found " + std::to_string(value));
  return value;
}

using Sets = std::vector<std::pair<std::string, std::string>>;

/// Images in drawn data for an epoch that does not end before the steps do.
Sets image_sets(const po::variables_map& values, std::int64_t images, std::int64_t channels, std::int64_t layers) {
  return {{"data.name", "synthetic"},
          {"synthetic.train", std::to_string(images)},
          {"space.channels", std::to_string(number(values, "channels", channels, 1, 65536))},
          {"space.layers", std::to_string(number(values, "layers", layers, 1, 1000))}};
}

/// The strategy that is named, or that of the order.
std::string strategy_of(const po::variables_map& values) {
  if (values.count("strategy") == 0) return number(values, "order", 2, 1, 2) == 1 ? "first_order" : "second_order";
  if (values.count("order") != 0)
    throw Error(ErrorCode::usage, "bench: --order and --strategy both name a strategy; leave one out");
  return text(values, "strategy");
}

Sets ddarts_sets(const po::variables_map& values, std::int64_t steps) {
  Sets sets = image_sets(values, 2 * number(values, "batch", 64, 1, kMany) * steps, 16, 8);
  sets.emplace_back("search.batch", std::to_string(values["batch"].as<std::int64_t>()));
  if (values.count("strategy") != 0) sets.emplace_back("search.strategy", text(values, "strategy"));
  return sets;
}

Sets cnn_sets(const po::variables_map& values, std::int64_t steps) {
  Sets sets = ddarts_sets(values, steps);
  sets.emplace_back("search.strategy", strategy_of(values));
  return sets;
}

Sets train_sets(const po::variables_map& values, std::int64_t steps) {
  const std::int64_t batch = number(values, "batch", 64, 1, kMany);
  Sets sets = image_sets(values, batch * steps, 36, 20);
  sets.emplace_back("train.batch", std::to_string(batch));
  for (const char* off : {"train.auxiliary", "train.drop_path", "data.cutout"}) sets.emplace_back(off, "0");
  return sets;
}

Sets rnn_sets(const po::variables_map& values, std::int64_t steps) {
  const std::int64_t bptt = number(values, "bptt", 35, 2, 10000);
  // A last row alone is no step, and shortened sequences make more of them.
  const std::int64_t words = number(values, "batch", 64, 1, kMany) * (bptt * steps + 2);
  Sets sets;
  for (const auto& [key, value] : Sets{{"search.batch", std::to_string(values["batch"].as<std::int64_t>())},
                                       {"search.strategy", strategy_of(values)},
                                       {"data.name", "synthetic_text"},
                                       {"synthetic_text.train", std::to_string(words)},
                                       {"synthetic_text.valid", std::to_string(words)},
                                       {"synthetic_text.vocabulary", std::to_string(number(values, "tokens", 10000, 2, kMany))},
                                       {"data.bptt", std::to_string(bptt)},
                                       {"space.width", std::to_string(number(values, "width", 300, 1, 65536))},
                                       {"weights.lr", "0.025"},
                                       {"weights.lr_min", "0.025"},
                                       {"weights.momentum", "0.9"},
                                       {"weights.decay", "3e-4"},
                                       {"weights.clip", "5"}})
    sets.emplace_back(key, value);
  for (const char* off : {"dropout", "dropouth", "dropoutx", "dropouti", "dropoute", "alpha", "beta"})
    sets.emplace_back(std::string("darts_rnn.") + off, "0");
  if (strategy_of(values) == "second_order")
    for (const char* off : {"clip", "uncapped", "stale_tied"})
      sets.emplace_back(std::string("second_order.") + off, "false");
  return sets;
}

/// What can be timed.
struct Benched {
  std::string name;
  RunKind kind;
  const char* preset;
  std::vector<std::string> options;  ///< its own, beside those of all
  Sets (*sets)(const po::variables_map& values, std::int64_t steps);
};

const std::vector<Benched>& all_benched() {
  static const std::vector<Benched> all = {
      {"cnn", RunKind::search, "darts-cifar10", {"order", "strategy", "channels", "layers"}, cnn_sets},
      {"rnn", RunKind::search, "darts-ptb-search", {"order", "strategy", "width", "bptt", "tokens"}, rnn_sets},
      {"ddarts", RunKind::search, "ddarts-cifar10", {"strategy", "channels", "layers"}, ddarts_sets},
      {"train", RunKind::train, "darts-cifar10-train", {"channels", "layers"}, train_sets}};
  return all;
}

const Benched& benched_of(const Arguments& given) {
  std::vector<std::string> names;
  for (const Benched& one : all_benched()) {
    if (!given.empty() && given.front() == one.name) return one;
    names.push_back(one.name);
  }
  throw Error(ErrorCode::usage, "bench: expected " + joined(names, " or ") +
                                    (given.empty() ? "" : ", found '" + excerpt(given.front()) + "'") +
                                    "\nUsage: " + bench_syntax().usage);
}

Config config_of(const po::variables_map& values, const Benched& benched, const BenchPlan& plan,
                 const PluginRegistry& plugins) {
  for (const Benched& other : all_benched())
    for (const std::string& option : other.options)
      if (values.count(option) != 0 &&
          std::find(benched.options.begin(), benched.options.end(), option) == benched.options.end())
        throw Error(ErrorCode::usage, "bench: --" + option + " means nothing to " + benched.name + "; leave it out");
  ConfigRequest request;
  request.kind = benched.kind;
  request.preset_folders = shared_folders(plugins, "presets");
  request.preset_or_file = benched.preset;
  Sets sets = benched.sets(values, plan.warmup + plan.steps);
  for (const char* key : {"threads", "seed"}) sets.emplace_back(key, std::to_string(values[key].as<std::int64_t>()));
  for (const char* key : {"device", "execution"}) sets.emplace_back(key, text(values, key));
  for (const auto& [key, value] : sets) request.sets.push_back(key + "=" + value);
  if (values.count("set") != 0)
    for (const std::string& own : values["set"].as<Arguments>()) request.sets.push_back(own);
  return resolve_config(request, option_catalog(plugins));
}

StepTimes measure(const Config& config, const Benched& benched, const BenchPlan& plan, const PluginRegistry& plugins) {
  const ComponentOptions options = options_of(config);
  const DatasetHandle data = open_data(config, plugins, options);
  if (benched.kind == RunKind::search) {
    Search search(config, plugins, options, data);
    return time_steps(search, search.problem().weights(), plan);
  }
  Training training(config, read_genotype("darts_cnn/DARTS_V2", "", plugins).genotype, plugins, options, data);
  return time_steps(training, training.weights(), plan);
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
  const Benched& benched = benched_of(given);
  const BenchPlan plan{number(*values, "warmup", 1, 0, kMany), number(*values, "steps", 5, 1, kMany)};
  const std::int64_t rounds = number(*values, "rounds", 1, 1, 1000);
  if (values->count("isa") != 0) setenv("MIXOP_ISA", text(*values, "isa").c_str(), 1);
  const bool json = values->count("json") != 0;
  const PluginRegistry plugins = load_plugins(*values);
  const Config config = config_of(*values, benched, plan, plugins);
  (void)device_of(config.device);
  if (const std::string fewer = fewer_threads(config.threads); !fewer.empty()) say(fewer);
  if (values->count("against") == 0) {
    print(measure(config, benched, plan, plugins), json);
    return 0;
  }
  Arguments own = own_arguments(arguments);
  const std::string name = "mixop " + joined(own, " ");
  own.insert(own.begin(), "/proc/self/exe");
  print(compare_by_turns(own, name, text(*values, "against"), rounds), json);
  return 0;
}

}  // namespace mixop::cli
