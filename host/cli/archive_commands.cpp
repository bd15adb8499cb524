#include <algorithm>
#include <iostream>
#include <map>
#include <optional>

#include "host/archive/compare.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/watch.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/report/archive_json.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/run_archive.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_fields.hpp"
#include "host/search/swap.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "host/text/text.hpp"
#include "host/train/network_check.hpp"

namespace mixop::cli {
namespace {

CommandSyntax syntax_of(const char* usage, const char* about, int positionals) {
  CommandSyntax syntax;
  syntax.usage = usage;
  syntax.about = about;
  syntax.options.add_options()("json", "prints JSON");
  syntax.positionals = positionals;
  add_plugin_options(syntax);
  return syntax;
}

/// The parsed values with exactly `count` files, or nothing after --help.
std::optional<po::variables_map> parse_files(const CommandSyntax& syntax, const Arguments& arguments) {
  auto values = parse(syntax, arguments);
  if (values && static_cast<int>(positionals(*values).size()) != syntax.positionals)
    throw Error(ErrorCode::usage,
                std::to_string(syntax.positionals) + " file name(s) expected\nUsage: " + syntax.usage);
  return values;
}

std::string held_text(const Archive& archive) {
  const HeldNetwork held = held_network(archive);
  std::string text =
      held.best ? "of epoch " + std::to_string(held.epoch) + ", the best by the held-out records" : "the last one";
  if (held.averaged_steps > 0) text += ", averaged over " + std::to_string(held.averaged_steps) + " steps";
  if (const std::int64_t again = archive.integer("/position", "rollbacks"); again > 0)
    text += "; rolled back " + std::to_string(again) + " times";
  return text;
}

/// "2 of 4 epochs, 13 steps, 3 of them in the epoch under way".
std::string position_text(const Archive& archive) {
  const auto number = [&](const char* name) { return std::to_string(archive.integer("/position", name)); };
  const JsonValue config =
      parse_json(archive.text(stored::resolved_config), stored::resolved_config, ErrorCode::bad_data);
  const RunKind kind = stored::is_of_kind(archive, network_kind) ? RunKind::train : RunKind::search;
  const std::int64_t epochs = config.find(run_kind_name(kind))->find("epochs")->integer;  // which its check has seen
  return number("epoch") + " of " + std::to_string(epochs) + " epochs, " + number("step") + " steps, " +
         number("step_in_epoch") + " of them in the epoch under way";
}

void print_start(const Archive& archive) {
  std::cout << "layout   " << printable(archive.text("/", "layout")) << "\nstarted  "
            << printable(archive.text("/provenance", "started")) << "\ncommand  "
            << printable(archive.text("/provenance/command_line")) << "\nposition " << position_text(archive) << "\n";
  if (stored::is_of_kind(archive, network_kind)) std::cout << "network  " << held_text(archive) << "\n";
  std::cout << "\n";
  const auto metrics = epoch_metrics(archive);
  std::vector<std::vector<std::string>> table{{"epoch"}};
  for (const auto& [name, values] : metrics) table[0].push_back(name);
  for (std::int64_t epoch = 0; epoch < archive.integer("/position", "epoch"); ++epoch) {
    std::vector<std::string>& row = table.emplace_back(std::vector{std::to_string(epoch + 1)});
    for (const auto& [name, values] : metrics) row.push_back(fixed_text(values.at(static_cast<std::size_t>(epoch)), 4));
  }
  std::cout << table_text(table, {Align::right});
}

void print_end(const Archive& archive) {
  JsonWriter provenance;
  write_provenance(provenance, archive);
  std::cout << "\nprovenance\n"
            << printable(provenance.text(), true) << "\n\nconfiguration\n"
            << printable(archive.text("/config/resolved"), true) << std::endl;
}

/// Which epochs' genotypes are shown: that of --epoch N, with --all every one, else the last.
struct ShownEpochs {
  std::size_t first, last;
};

ShownEpochs shown_epochs(const po::variables_map& values, std::size_t genotypes) {
  const std::size_t last = genotypes - 1;
  if (values.count("epoch") == 0) return {values.count("all") != 0 ? 0 : last, last};
  const auto epoch = values["epoch"].as<std::int64_t>();
  if (epoch < 0 || static_cast<std::size_t>(epoch) > last)
    throw Error(ErrorCode::usage,
                "--epoch: expected 0 (the start) to " + std::to_string(last) + ", found " + std::to_string(epoch));
  return {static_cast<std::size_t>(epoch), static_cast<std::size_t>(epoch)};
}

/// "from step 0: first_order (relaxation=softmax, ...)", and of the others what they changed.
void print_strategies(const std::vector<StrategyChange>& changes) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const StrategyChange& change = changes[i];
    std::cout << "  from step " << change.step;
    if (i > 0) {
      std::cout << ", epoch " << change.epoch + 1 << ": " << printable(difference(changes[i - 1], change)) << "\n";
      continue;
    }
    std::vector<std::string> parts;
    for (const StrategySlot& slot : strategy_slots)
      if (const std::string& part = change.parts.at(std::string(slot.name)).part; part != slot.empty)
        parts.push_back(std::string(slot.name) + "=" + part);
    std::cout << ": " << printable(change.strategy) << " (" << printable(joined(parts)) << ")\n";
  }
}

void print_run(const Archive& archive, const po::variables_map& values) {
  const std::vector<std::string> genotypes = archive.texts("/genotypes");
  const ShownEpochs shown = shown_epochs(values, genotypes.size());
  print_start(archive);
  std::cout << "\nstrategies\n";
  print_strategies(strategy_changes(archive));
  for (std::size_t epoch = shown.first; epoch <= shown.last; ++epoch)
    std::cout << "\ngenotype after " << epoch << " epochs"
              << (epoch > 0 && !alphas_moved(archive, static_cast<std::int64_t>(epoch))
                      ? ", not searched: its alphas are those of the start"
                      : "")
              << "\n" << printable(genotypes[epoch], true) << "\n";
}

void print_network(const Archive& archive) {
  print_start(archive);
  std::cout << "\ngenotype\n" << printable(archive.text("/genotype"), true) << "\n";
}

CommandSyntax inspect_syntax() {
  CommandSyntax syntax = syntax_of("mixop inspect RUN.h5|NET.h5 [--epoch N | --all | --watch]",
                                   "Shows a search or a training: where it stands, a line of metrics an epoch, and the "
                                   "last genotype. --json has everything.",
                                   1);
  syntax.options.add_options()("epoch", po::value<std::int64_t>()->value_name("N"),
                               "the genotype after that many epochs of a search; 0: the start")(
      "watch", "follows a run until it ends: a line an epoch, and one a change of its strategy")(
      "all", "the genotypes of all epochs, the configuration and where the archive comes from, too");
  return syntax;
}

CommandSyntax compare_syntax() {
  CommandSyntax syntax =
      syntax_of("mixop compare A.h5 B.h5",
                "Lists everything in which two archives differ, to the bit. Exit code 1 where they do.", 2);
  syntax.options.add_options()("brief", "a line for each part of the archives: how much of it differs");
  return syntax;
}

/// A line for each difference, or with --brief for each part of the archives.
void print_differences(const std::vector<ArchiveDifference>& differences, bool brief) {
  std::map<std::string, std::int64_t> parts;
  for (const ArchiveDifference& difference : differences) {
    ++parts[difference.path.substr(0, difference.path.find_first_of("/@", 1))];
    if (!brief) std::cout << printable(difference.path) << ": " << printable(difference.what) << "\n";
  }
  if (brief)
    for (const auto& [part, count] : parts)
      std::cout << printable(part) << ": " << count << (count == 1 ? " difference\n" : " differences\n");
  std::cout << (differences.empty() ? "equal" : "different") << std::endl;
}

}  // namespace

int inspect_command(const std::vector<std::string>& arguments) {
  const auto values = parse_files(inspect_syntax(), arguments);
  if (!values) return 0;
  const bool as_json = values->count("json") != 0;
  if (values->count("epoch") != 0 && (values->count("all") != 0 || as_json))
    throw Error(ErrorCode::usage, "--epoch shows one genotype; leave --all and --json out, which show them all");
  if (values->count("watch") != 0) {
    if (values->count("epoch") + values->count("all") + values->count("json") != 0)
      throw Error(ErrorCode::usage, "--watch prints lines as a run goes on; leave --epoch, --all and --json out (search and "
                                    "train --metrics write JSON)");
    watch(positionals(*values).front());
    return 0;
  }
  const Archive archive = Archive::open(positionals(*values).front());
  const bool network = stored::is_of_kind(archive, network_kind);
  if (network && values->count("epoch") != 0)
    throw Error(ErrorCode::usage,
                "--epoch is for a search; " + archive.name() + " is a trained network, which has one genotype");
  check_archive(archive);
  if (!as_json) {
    network ? print_network(archive) : print_run(archive, *values);
    if (values->count("all") != 0) print_end(archive);
    return 0;
  }
  JsonWriter json;
  json.begin_object();
  write_archive(json, archive);
  json.end();
  std::cout << json.text() << std::endl;
  return 0;
}

int verify_command(const std::vector<std::string>& arguments) {
  const auto values = parse_files(
      syntax_of("mixop verify RUN.h5", "Checks an archive's digest and structure. Exit code 3 where it is damaged.", 1),
      arguments);
  if (!values) return 0;
  std::string problem;
  try {
    (void)Archive::open(positionals(*values).front());
  } catch (const Error& error) {
    if (values->count("json") == 0) throw;
    problem = error.what();
  }
  if (values->count("json") != 0) {
    JsonWriter json;
    json.begin_object().member("ok", problem.empty()).key("problem");
    problem.empty() ? json.null() : json.value(problem);
    std::cout << json.end().text() << std::endl;
  } else {
    std::cout << "ok" << std::endl;
  }
  return problem.empty() ? 0 : 3;
}

int compare_command(const std::vector<std::string>& arguments) {
  const auto values = parse_files(compare_syntax(), arguments);
  if (!values) return 0;
  const Arguments files = positionals(*values);
  const auto differences = compare_archives(Archive::open(files[0]), Archive::open(files[1]));
  if (values->count("json") != 0) {
    JsonWriter json;
    json.begin_object().member("equal", differences.empty()).key("differences").begin_list();
    for (const ArchiveDifference& difference : differences)
      json.begin_object().member("path", difference.path).member("what", difference.what).end();
    std::cout << json.end().end().text() << std::endl;
  } else {
    print_differences(differences, values->count("brief") != 0);
  }
  return differences.empty() ? 0 : 1;
}

}  // namespace mixop::cli
