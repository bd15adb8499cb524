#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/named_genotype.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/task/task.hpp"
#include "host/text/table.hpp"
#include "mixop/distance.hpp"

namespace mixop::cli {
namespace {

using Weights = std::vector<OperationWeight>;
using Matrix = std::vector<std::vector<double>>;

CommandSyntax distance_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop distance GENOTYPE GENOTYPE ... [--weights FILE]";
  syntax.about =
      "Measures the architecture distance of D-DARTS between two genotypes, or between all pairs of more: the mean over\n"
      "the cells that both list of the Hausdorff distance between their sets of edges, operations weighted. Genotypes\n"
      "are names, files or archives.";
  syntax.options.add_options()(
      "weights", po::value<std::string>()->value_name("FILE"),
      "weights of all operations as JSON, {\"sep_conv_3x3\": 83.4, ...}; default: the published ones "
      "of D-DARTS' seven or DARTOpti's twelve, and their mean for all others")(
      "space", po::value<std::string>()->value_name("S"), "the space of names that several spaces have")("json",
                                                                                                         "prints JSON");
  syntax.positionals = 1000;
  add_plugin_options(syntax);
  return syntax;
}

Weights weights_of_file(const std::string& file) {
  const JsonValue root = parse_json_file(file, ErrorCode::usage);
  Weights weights;
  double sum = 0;
  const auto refuse = [&](const JsonValue& at, const std::string& what) {
    throw Error(ErrorCode::usage, json_place(file, at) + ": " + what);
  };
  if (!root.is(JsonValue::Kind::object)) refuse(root, "expected an object of weights, found " + root.describe());
  for (const JsonMember& member : root.members) {
    if (!member.value.is_number() || member.value.number < 0)
      refuse(member.value, member.key + ": expected a weight of at least 0, found " + member.value.describe());
    weights.push_back({member.key, member.value.number});
    sum += member.value.number;
  }
  if (!(sum > 0)) refuse(root, "expected a weight above 0, found none");
  return weights;
}

/// Those of --weights; else the published ones of the genotypes' operations and of their spaces' candidates.
Weights weights_of(const po::variables_map& values, const std::vector<GenotypeArgument>& arguments,
                   const PluginRegistry& plugins) {
  if (values.count("weights") != 0) return weights_of_file(text(values, "weights"));
  std::set<std::string> operations;
  for (const GenotypeArgument& argument : arguments) {
    if (!argument.space.empty())
      for (const std::string& candidate : make_part<SearchSpace>(plugins, argument.space, {})->defaults().operations)
        if (has_published_weight(candidate)) operations.insert(candidate);
    for (const CellGenotype& cell : argument.genotype.cells)
      for (const Gene& gene : cell.genes) operations.insert(gene.operation);
  }
  const Weights weights = weights_for(operations);
  for (const OperationWeight& known : weights)
    if (!has_published_weight(known.operation))
      say("operation '" + known.operation +
          "' has no published weight and weighs the mean of those; --weights names others");
  return weights;
}

Matrix matrix_of(const std::vector<GenotypeArgument>& arguments, const Weights& weights) {
  Matrix matrix(arguments.size(), std::vector<double>(arguments.size(), 0.0));
  for (std::size_t i = 0; i < arguments.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      matrix[i][j] = matrix[j][i] =
          architecture_distance(arguments[i].genotype, arguments[j].genotype, weights);
  return matrix;
}

void write_list(JsonWriter& json, const std::vector<double>& numbers) {
  json.begin_list();
  for (const double number : numbers) json.value(number);
  json.end();
}

void print_pair(const GenotypeArgument& a, const GenotypeArgument& b, const Weights& weights, bool as_json) {
  const double distance = architecture_distance(a.genotype, b.genotype, weights);
  if (!as_json) {
    std::printf("%.6f\n", distance);
    return;
  }
  JsonWriter json;
  json.begin_object().member("distance", distance).key("cells");
  write_list(json, cell_distances(a.genotype, b.genotype, weights));
  std::cout << json.end().text() << std::endl;
}

void print_matrix(const std::vector<GenotypeArgument>& arguments, const Matrix& matrix, bool as_json) {
  std::vector<std::string> titles;
  for (const GenotypeArgument& argument : arguments) titles.push_back(argument.title);
  if (as_json) {
    JsonWriter json;
    json.begin_object().member("genotypes", titles).key("distances").begin_list();
    for (const std::vector<double>& row : matrix) write_list(json, row);
    std::cout << json.end().end().text() << std::endl;
    return;
  }
  std::vector<std::vector<std::string>> table;
  for (std::size_t i = 0; i < titles.size(); ++i) {
    std::vector<std::string>& row = table.emplace_back(std::vector{titles[i]});
    for (const double distance : matrix[i]) row.push_back(fixed_text(distance, 6));
  }
  std::cout << table_text(table, {Align::left, Align::right});
}

}  // namespace

int distance_command(const std::vector<std::string>& arguments) {
  const auto values = parse(distance_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  if (given.size() < 2)
    throw Error(ErrorCode::usage, "two genotypes or more are expected, found " + std::to_string(given.size()) +
                                      "\nUsage: " + distance_syntax().usage);
  const PluginRegistry plugins = load_plugins(*values);
  std::vector<GenotypeArgument> genotypes;
  for (const std::string& argument : given) {
    genotypes.push_back(named_genotype(argument, *values, plugins));
    for (const std::string& space : spaces_of(genotypes.back(), plugins))
      if (!task_of(make_part<SearchSpace>(plugins, space, {})->domain()).has_distance())
        throw Error(ErrorCode::usage, "distance: expected genotypes of cells for images, found the recurrent cell of '" +
                                          argument + "'; leave it out");
  }
  const Weights weights = weights_of(*values, genotypes, plugins);
  const bool json = values->count("json") != 0;
  if (genotypes.size() == 2)
    print_pair(genotypes[0], genotypes[1], weights, json);
  else
    print_matrix(genotypes, matrix_of(genotypes, weights), json);
  return 0;
}

}  // namespace mixop::cli
