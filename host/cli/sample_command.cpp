#include <iostream>

#include "host/cli/all_commands.hpp"
#include "host/cli/run_options.hpp"
#include "host/config/resolve.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/session/sample.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMostSamples = 100000;

CommandSyntax sample_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop sample --space S|PRESET|config.json [--count N] [--seed K] [--set key=value ...]";
  syntax.about =
      "Prints random genotypes of a space: what the derivation of DARTS makes of random alphas, so that every operation\n"
      "but none is as likely as any other, and so is every choice of a node's edges. Those of the seeds K, K + 1, ..., a\n"
      "list where --count is given. space.nodes, space.ops and space.layers say which cells they have.";
  syntax.options.add_options()("space", po::value<std::string>()->value_name("S"), "short for --set space.name=S")(
      "count", po::value<std::int64_t>()->value_name("N"), "how many; default: one, which is no list")(
      "seed", po::value<std::string>()->value_name("K"), "short for --set seed=K; a genotype is a function of it")(
      "set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"), "sets a key of the search that they are of")(
      "json", "has no effect: the output is JSON");
  syntax.positionals = 64;
  add_plugin_options(syntax);
  return syntax;
}

std::int64_t count_of(const po::variables_map& values) {
  const std::int64_t count = values["count"].as<std::int64_t>();
  if (count < 1 || count > kMostSamples)
    throw Error(ErrorCode::usage, "--count: expected 1 to " + std::to_string(kMostSamples) + ", found " + std::to_string(count));
  return count;
}

}  // namespace

int sample_command(const Arguments& arguments) {
  const auto values = parse(sample_syntax(), arguments);
  if (!values) return 0;
  const bool is_list = values->count("count") != 0;
  const std::int64_t count = is_list ? count_of(*values) : 1;
  SearchRequest request;
  read_config(*values, positionals(*values), request);
  if (values->count("space") != 0) request.sets.push_back("space.name=" + text(*values, "space"));
  const Application application = open_application(*values);
  const ConfigRequest described{request.preset_or_file, request.sets, application.presets, RunKind::search, {}, request.config_text};
  expect_described(described);
  const Config config = resolve_config(described, application.catalog);
  if (config.seed > INT64_MAX - count)
    throw Error(ErrorCode::usage, "--seed: expected at most " + std::to_string(INT64_MAX - count) + " for " + std::to_string(count) +
                                      " genotypes, found " + std::to_string(config.seed));
  JsonWriter list;
  list.begin_list();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string genotype = genotype_to_json(sampled_genotype(config, application.plugins, static_cast<std::uint64_t>(config.seed + i)));
    if (!is_list) {
      std::cout << genotype << std::endl;
      return 0;
    }
    list.raw(genotype);
  }
  std::cout << list.end().text() << std::endl;
  return 0;
}

}  // namespace mixop::cli
