#include "host/cli/all_commands.hpp"

#include <ATen/Parallel.h>

#include <iostream>
#include <optional>

#include "host/cli/interrupt.hpp"
#include "host/cli/metrics_options.hpp"
#include "host/cli/recorder.hpp"
#include "host/cli/run_setup.hpp"
#include "host/cli/runs.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/memory.hpp"
#include "host/search/run_archive.hpp"
#include "host/search/run_check.hpp"
#include "host/search/size_limit.hpp"

namespace mixop::cli {
namespace {

const RunCommand kSearch{RunKind::search, "run.h5", "RUN.h5", archived_config};

CommandSyntax search_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop search PRESET|config.json [--strategy S] [--set key=value ...] [--data DIR] [--out RUN.h5]";
  syntax.about =
      "Searches an architecture: trains a supernet's weights and alphas together and archives the run after every "
      "epoch.\n"
      "The configuration is defaults < preset < file < --set; --dry-run prints it. mixop list presets names the "
      "presets.";
  syntax.options.add_options()("strategy", po::value<std::string>()->value_name("S"),
                               "short for --set search.strategy=S");
  add_run_options(syntax, kSearch);
  return syntax;
}

void report(const Search& search, RunEnd end, const std::filesystem::path& out, bool json) {
  const SearchHistory& history = search.history();
  const SearchPosition& at = search.position().at;
  if (json) {
    JsonWriter writer;
    writer.begin_object().member("archive", out.string()).member("epoch", at.epoch).member("step", at.step);
    writer.member("interrupted", end == RunEnd::interrupted).member("stop_reason", history.stop_reason);
    for (const auto& [name, values] : search.record().metrics)
      if (!values.empty()) writer.member(name, values.back());
    writer.key("genotype").raw(genotype_to_json(history.genotypes.back())).end();
    std::cout << writer.text() << std::endl;
  } else if (end != RunEnd::interrupted) {
    std::cout << genotype_to_json(history.genotypes.back()) << std::endl;
  }
  if (end == RunEnd::stopped) say("stopped by the strategy: " + history.stop_reason);
  say_end(RunKind::search, end, out);
}

/// Prints the configuration; the memory that it needs is predicted where the data is at hand.
int dry_run(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  const DryRun run(values, plugins, catalog, kSearch);
  (void)plugins.strategy(run.config.search.strategy);
  std::optional<std::int64_t> bytes;
  const MachineLimit machine;
  if (run.data) {
    std::optional<NetworkSizeLimit> limit;
    if (run.archive) limit.emplace(*run.archive);
    Search search(run.config, plugins, run.options, *run.data);
    limit.reset();
    bytes = predict_peak_memory(search);
  }
  std::cout << to_json(run.config) << std::endl;
  if (bytes) say_memory(*bytes);
  return 0;
}

/// One line on what is searched, where and on what.
void announce(Search& search, const DatasetHandle& data) {
  const Config& config = search.config();
  const std::string size = search.data().is_text() ? "width " + std::to_string(config.space.width)
                                                   : std::to_string(config.space.channels) + " channels, " +
                                                         std::to_string(config.space.layers) + " cells";
  say("searching " + config.space.name + " (" + size + ") by " + config.search.strategy + " on " + data.name() + ", " +
      std::to_string(search.data().steps_in(search.position().at.epoch)) + " steps an epoch, " +
      device_text(config.device) + ", " + std::to_string(at::get_num_threads()) + " thread(s)");
  if (config.search.pretrain_epochs >= config.search.epochs)
    say("the alphas stay where they start, for search.pretrain_epochs (" +
        std::to_string(config.search.pretrain_epochs) + ") covers all of search.epochs (" +
        std::to_string(config.search.epochs) + ")");
}

/// The config of a resumed search comes from its archive, whose arrays bound what it may mean.
Search search_of(const RunSetup& setup, const PluginRegistry& plugins) {
  std::optional<NetworkSizeLimit> limit;
  if (setup.resumed() != nullptr) limit.emplace(*setup.resumed());
  return Search(setup.config(), plugins, setup.options(), setup.data());
}

int run(const po::variables_map& values, const Arguments& arguments, const PluginRegistry& plugins,
        const OptionCatalog& catalog, bool prints) {
  const RunSetup setup(values, arguments, plugins, catalog, kSearch);
  Search search = search_of(setup, plugins);
  if (setup.resumed() != nullptr) restore(search, *setup.resumed());
  const SearchPosition& at = search.position().at;
  if (at.epoch == at.epochs || !search.history().stop_reason.empty())
    say("finished before, after epoch " + std::to_string(at.epoch) + ": nothing is left to do");
  Recorder recorder(
      setup.out(), [&] { return archive_of(search, setup.texts(), setup.provenance()); },
      [&] { return search.data().replaced(); }, open_metrics(values, setup, search));
  const InterruptGuard interrupt;
  announce(search, setup.data());
  const RunEnd end = search.run(recorder, interrupt.received());
  if (prints) report(search, end, setup.out(), values.count("json") != 0);
  return end == RunEnd::interrupted ? 128 + interrupt.received() : 0;
}

}  // namespace

RunInputs search_inputs(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  return RunInputs(*parse(search_syntax(), arguments), plugins, catalog, kSearch);
}

int run_search(const Arguments& arguments, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  return run(*parse(search_syntax(), arguments), arguments, plugins, catalog, /*prints=*/false);
}

int search_command(const Arguments& arguments) {
  const auto values = parse(search_syntax(), arguments);
  if (!values) return 0;
  const PluginRegistry plugins = load_plugins(*values);
  const OptionCatalog catalog = option_catalog(plugins);
  if (print_keys(*values, catalog, RunKind::search)) return 0;
  return values->count("dry-run") != 0 ? dry_run(*values, plugins, catalog)
                                       : run(*values, arguments, plugins, catalog, /*prints=*/true);
}

}  // namespace mixop::cli
