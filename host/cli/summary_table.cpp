#include "host/cli/summary_table.hpp"

#include <iostream>
#include <string>

#include "host/text/table.hpp"

namespace mixop::cli {
namespace {

struct Row {
  std::int64_t depth;
  std::string name;  ///< from the network on
  const NetworkPart& part;
};

void add_rows(std::vector<Row>& rows, const std::string& prefix, const std::vector<NetworkPart>& parts,
              std::int64_t depth, std::int64_t deepest) {
  for (const NetworkPart& part : parts) {
    rows.push_back({depth, prefix + part.name, part});
    if (depth < deepest) add_rows(rows, prefix + part.name + ".", part.layers, depth + 1, deepest);
  }
}

std::vector<Row> rows_of(const std::vector<NetworkPart>& parts, std::int64_t depth) {
  std::vector<Row> rows;
  add_rows(rows, "", parts, 1, depth);
  return rows;
}

std::vector<std::string> cells_of(const Row& row) {
  const Cost cost = row.part.cost();
  const ImageShape& output = row.part.output;
  return {std::string(2 * static_cast<std::size_t>(row.depth - 1), ' ') + row.part.name,
          row.part.kind + (row.part.training_only ? ", training only" : ""),
          std::to_string(output.channels) + "x" + std::to_string(output.height) + "x" + std::to_string(output.width),
          std::to_string(cost.parameters),
          std::to_string(cost.multiply_adds) + (cost.uncounted.empty() ? "" : "+?"),
          std::to_string(activation_bytes(cost))};
}

}  // namespace

std::int64_t activation_bytes(const Cost& cost) { return cost.activations * static_cast<std::int64_t>(sizeof(float)); }

void print_parts(const std::vector<NetworkPart>& parts, std::int64_t depth) {
  std::vector<std::vector<std::string>> table{
      {"part", "kind", "output", "parameters", "multiply-adds", "activation bytes"}};
  for (const Row& row : rows_of(parts, depth)) table.push_back(cells_of(row));
  std::cout << table_text(table, {Align::left, Align::left, Align::left, Align::right});
}

void write_parts(JsonWriter& json, const std::vector<NetworkPart>& parts, std::int64_t depth) {
  json.begin_list();
  for (const auto& [level, name, part] : rows_of(parts, depth)) {
    const Cost cost = part.cost();
    json.begin_object().member("name", name).member("depth", level).member("kind", part.kind);
    json.key("output").begin_list();
    for (const std::int64_t size : {part.output.channels, part.output.height, part.output.width}) json.value(size);
    json.end().member("parameters", cost.parameters).member("multiply_adds", cost.multiply_adds);
    json.member("activation_bytes", activation_bytes(cost)).member("training_only", part.training_only).end();
  }
  json.end();
}

}  // namespace mixop::cli
