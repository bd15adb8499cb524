#include <algorithm>
#include <iostream>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/config/resolve.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/composition.hpp"
#include "host/session/experiment.hpp"
#include "host/session/genotype_argument.hpp"
#include "host/text/nearest.hpp"
#include "host/text/table.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

struct Row {
  std::string name, about, plugin;
  std::vector<MixopOptionSpec> options = {};  ///< of operators, which have no keys
};

std::vector<Row> components(const PluginRegistry& plugins, const char* interface) {
  std::vector<Row> rows;
  for (const std::string& name : plugins.names(interface)) {
    const PluginInfo& owner = plugins.owner(interface, name);
    rows.push_back({name, plugins.summary(interface, name), owner.id});
  }
  return rows;
}

/// Those of images, then the activations of recurrent cells.
std::vector<Row> operators(const PluginRegistry& plugins) {
  const auto with_options = [](Row& row, const MixopOperator& table) {
    if (table.option_count > 0) row.options.assign(table.options, table.options + table.option_count);
  };
  std::vector<Row> rows = components(plugins, MIXOP_OPERATOR_INTERFACE);
  for (Row& row : rows) with_options(row, plugins.op(row.name));
  for (Row& row : components(plugins, kActivations)) {
    with_options(row, plugins.activation(row.name));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> spaces(const PluginRegistry& plugins) {
  std::vector<Row> rows = components(plugins, SearchSpace::interface_id);
  for (Row& row : rows) row.about = make_part<SearchSpace>(plugins, row.name, {})->summary();
  return rows;
}

/// Named strategies, then the parts of each slot.
std::vector<Row> strategies(const PluginRegistry& plugins) {
  std::vector<Row> rows = components(plugins, MIXOP_STRATEGY_INTERFACE);
  for (Row& row : rows) row.about = plugins.strategy(row.name).summary;
  for (const StrategySlot& slot : strategy_slots)
    for (const std::string& name : plugins.names(slot.interface_id))
      rows.push_back({"strategy." + std::string(slot.name) + "=" + name, plugins.summary(slot.interface_id, name),
                      plugins.owner(slot.interface_id, name).id});
  return rows;
}

std::vector<Row> presets(const PluginRegistry& plugins) {
  std::vector<Row> rows;
  for (const PresetInfo& preset : list_presets(shared_folders(plugins, "presets")))
    rows.push_back({preset.name, (preset.command.empty() ? "" : "mixop " + preset.command + ": ") + preset.summary,
                    preset.source});
  return rows;
}

std::vector<Row> genotypes(const PluginRegistry& plugins) {
  std::vector<Row> rows;
  for (const ListedGenotype& listed : list_genotypes(plugins))
    rows.push_back({listed.space + "/" + listed.name, listed.source, ""});
  return rows;
}

std::vector<Row> experiments(const PluginRegistry& plugins) {
  std::vector<Row> rows;
  for (const ExperimentInfo& experiment : list_experiments(shared_folders(plugins, "experiments")))
    rows.push_back({experiment.name, experiment.summary + " " + experiment.protocol, experiment.source});
  return rows;
}

using Lister = std::vector<Row> (*)(const PluginRegistry&);
constexpr std::pair<const char*, Lister> kLists[] = {
    {"ops", operators},
    {"spaces", spaces},
    {"datasets", [](const PluginRegistry& plugins) { return components(plugins, MIXOP_DATASET_INTERFACE); }},
    {"strategies", strategies},
    {"presets", presets},
    {"genotypes", genotypes},
    {"experiments", experiments}};

CommandSyntax list_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop list ops|spaces|datasets|strategies|presets|genotypes|experiments";
  syntax.about = "Lists what the loaded plugins and the presets offer, by the names that other commands take.";
  syntax.options.add_options()("json", "prints JSON");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

Lister lister_of(const Arguments& given) {
  std::vector<std::string> known;
  for (const auto& [name, lister] : kLists) {
    if (!given.empty() && given.front() == name) return lister;
    known.emplace_back(name);
  }
  throw Error(ErrorCode::usage,
              (given.empty() ? "what to list is missing"
                             : "cannot list '" + given.front() + "'" + did_you_mean(given.front(), known)) +
                  "; one of " + joined(known) + " is expected");
}

}  // namespace

int list_command(const std::vector<std::string>& arguments) {
  const auto values = parse(list_syntax(), arguments);
  if (!values) return 0;
  const Lister lister = lister_of(positionals(*values));
  const std::vector<Row> rows = lister(load_plugins(*values));
  if (values->count("json") != 0) {
    JsonWriter json;
    json.begin_list();
    for (const Row& row : rows) {
      json.begin_object().member("name", row.name).member("about", row.about).member("from", row.plugin);
      if (!row.options.empty()) {
        json.key("options").begin_list();
        for (const MixopOptionSpec& option : row.options)
          json.begin_object()
              .member("name", option.name)
              .member("default", option.default_value)
              .member("help", option.help)
              .end();
        json.end();
      }
      json.end();
    }
    std::cout << json.end().text() << std::endl;
    return 0;
  }
  std::vector<std::vector<std::string>> table;
  for (const Row& row : rows) {
    table.push_back({row.name, row.about + (row.plugin.empty() ? "" : "  [" + row.plugin + "]")});
    for (const MixopOptionSpec& option : row.options)
      table.push_back({"  :" + std::string(option.name) + "=" + option.default_value, option.help});
  }
  std::cout << table_text(table, {Align::left});
  return 0;
}

}  // namespace mixop::cli
