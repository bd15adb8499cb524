#include <cstdio>
#include <iostream>
#include <set>

#include "host/cli/all_commands.hpp"
#include "host/cli/interrupt.hpp"
#include "host/cli/run_options.hpp"
#include "host/config/resolve.hpp"
#include "host/session/selection.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

CommandSyntax select_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop select PRESET|config.json [--seeds 0,1,2,3] [--set key=value ...] [--train PRESET|config.json] "
      "[--train-set key=value ...] [--data DIR] [--out DIR]";
  syntax.about =
      "Searches once a seed, trains each network that was found for a short while from scratch, and selects the one "
      "that is best on\n"
      "records that this training held out; the test split plays no part. All candidates and their curves are "
      "in\n"
      "DIR/selection.json, the winner's genotype is DIR/winner.json. The same command goes on with what was "
      "interrupted.\n"
      "Unless --train-set says otherwise train.epochs is 100 and data.train_portion of images 0.5; the data is that of "
      "the search.";
  syntax.options.add_options()("seeds", po::value<std::string>()->value_name("N,N,...")->default_value("0,1,2,3"),
                               "a search each")("set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
                                                "sets a key of the searches")(
      "strategy", po::value<std::string>()->value_name("S"), "short for --set search.strategy=S")(
      "train", po::value<std::string>()->value_name("PRESET"), "preset or config file of the trainings")(
      "train-set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"), "sets a key of the trainings")(
      "data", po::value<std::string>()->value_name("DIR"),
      "where the data lies; default: the environment's MIXOP_DATA")(
      "out", po::value<std::string>()->value_name("DIR")->default_value("selection"), "the folder to write")(
      "overwrite", "begins anew where DIR holds another selection")("json", "prints DIR/selection.json");
  syntax.positionals = 64;
  add_plugin_options(syntax);
  return syntax;
}

std::vector<std::int64_t> seeds_of(const std::string& list) {
  std::vector<std::int64_t> seeds;
  for (const std::string& item : split(list, ',')) {
    const std::int64_t seed = number_of<std::int64_t>(item).value_or(-1);
    if (seed < 0)
      throw Error(ErrorCode::usage, "--seeds: expected whole numbers from 0 on, as in 0,1,2,3, found '" + excerpt(item) + "'");
    seeds.push_back(seed);
  }
  if (std::set<std::int64_t>(seeds.begin(), seeds.end()).size() != seeds.size() || seeds.size() < 2)
    throw Error(ErrorCode::usage, "--seeds: expected at least two different seeds, found '" + excerpt(list) + "'");
  return seeds;
}

SelectionRequest request_of(const po::variables_map& values, const Arguments& arguments) {
  SelectionRequest request;
  request.seeds = seeds_of(text(values, "seeds"));
  request.out = output_path(text(values, "out"));
  request.overwrite = values.count("overwrite") != 0;
  read_config(values, positionals(values), request.search);
  request.train.preset_or_file = text(values, "train");
  if (values.count("train-set") != 0) request.train.sets = values["train-set"].as<Arguments>();
  request.search.command_line = request.train.command_line = command_line("select", arguments);
  return request;
}

void print_table(const Selection& selection, const std::filesystem::path& out) {
  const SeedCandidate* const best = selection.best();
  const std::string& criterion = selection.criterion();
  const Figure& figure = selection.figure();
  for (const SeedCandidate& candidate : selection.candidates()) {
    const auto seed = static_cast<long long>(candidate.seed);
    if (candidate.defect.empty())
      std::printf("seed %-6lld held-out %s %8s%s\n", seed, label_text(figure).c_str(),
                  number_text(figure, candidate.figure(criterion)).c_str(), &candidate == best ? "  selected" : "");
    else
      std::printf("seed %-6lld cannot be built: %s\n", seed, printable(candidate.defect, true).c_str());
  }
  std::printf("%s\n", printable((out / selection.winner_file().filename()).string()).c_str());
}

}  // namespace

int select_command(const Arguments& arguments) {
  const auto values = parse(select_syntax(), arguments);
  if (!values) return 0;
  const SelectionRequest request = request_of(*values, arguments);
  const Application application = open_application(*values);
  expect_described({request.search.preset_or_file, request.search.sets, application.presets, RunKind::search});
  Selection selection(request, application);
  TerminalObserver observer;
  const InterruptGuard interrupt;
  if (!selection.run(observer, interrupt.received())) {
    say("interrupted; the same command goes on");
    return 128 + interrupt.received();
  }
  if (values->count("json") != 0)
    std::cout << selection.result_json() << std::flush;
  else
    print_table(selection, text(*values, "out"));
  require_output();
  return 0;
}

}  // namespace mixop::cli
