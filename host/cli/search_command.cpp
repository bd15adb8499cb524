#include "host/session/search_session.hpp"

#include <iostream>

#include "host/cli/all_commands.hpp"
#include "host/cli/run_command.hpp"
#include "host/cli/run_options.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"

namespace mixop::cli {
namespace {

constexpr char kArchive[] = "run.h5";

CommandSyntax search_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop search PRESET|config.json [--strategy S] [--set key=value ...] [--data DIR] [--out RUN.h5]\n"
      "       mixop search --resume|--continue --out RUN.h5 [--set search.epochs=N ...] [--data DIR]";
  syntax.about =
      "Searches an architecture: trains a supernet's weights and alphas together and archives the run after every "
      "epoch.\n"
      "The configuration is defaults < preset < file < --set; --dry-run prints it. Without a preset and a "
      "file the presets are\nlisted.";
  syntax.options.add_options()("strategy", po::value<std::string>()->value_name("S"),
                               "short for --set search.strategy=S");
  syntax.options.add_options()("continue", "goes on with a finished search for more epochs, --set search.epochs=N");
  add_run_options(syntax, "RUN.h5", kArchive);
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

}  // namespace

int search_command(const Arguments& arguments) {
  const auto values = parse(search_syntax(), arguments);
  if (!values) return 0;
  SearchRequest request;
  read_run(*values, arguments, kArchive, request);
  const Application application = open_application(*values);
  if (print_keys(*values, application.catalog, RunKind::search)) return 0;
  return run_or_forecast<SearchSession>(*values, request, application, [&](SearchSession& session, RunEnd end) {
    report(session.search(), end, text(*values, "out", kArchive), values->count("json") != 0);
  });
}

}  // namespace mixop::cli
