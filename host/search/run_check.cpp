#include "host/search/run_check.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/task/task.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

const char* expected_text(JsonValue::Kind kind) {
  return kind == JsonValue::Kind::integer ? "a whole number" : kind == JsonValue::Kind::text ? "a text" : "an object";
}

const JsonValue& member(const JsonValue& json, const std::string& key, JsonValue::Kind kind, const std::string& where) {
  const JsonValue* found = json.find(key);
  if (found != nullptr && found->is(kind)) return *found;
  throw Error(ErrorCode::bad_data, where + ": expected " + expected_text(kind) + " in '" + key + "', found " +
                                       (found == nullptr ? "nothing" : found->describe()));
}

/// {"step": 0, "epoch": 0, "strategy": "second_order", "relaxation": "softmax", ..., "options": {"hypergradient":
/// {"epsilon": "0.01"}}}: a part for every slot, and the options of those that have some.
StrategyChange strategy_change(const std::string& text, const std::string& where) {
  const JsonValue json = parse_json(text, where, ErrorCode::bad_data);
  StrategyChange change{member(json, "step", JsonValue::Kind::integer, where).integer,
                        member(json, "epoch", JsonValue::Kind::integer, where).integer,
                        member(json, "strategy", JsonValue::Kind::text, where).text,
                        {}};
  for (const StrategySlot& slot : strategy_slots) {
    const std::string name(slot.name);
    change.parts[name] = {member(json, name, JsonValue::Kind::text, where).text, {}};
  }
  const JsonValue& options = member(json, "options", JsonValue::Kind::object, where);
  for (const JsonMember& own : options.members) {
    const auto part = change.parts.find(own.key);
    if (part == change.parts.end())
      throw Error(ErrorCode::bad_data, where + ": unknown slot '" + excerpt(own.key) + "' in 'options'");
    const JsonValue& values = member(options, own.key, JsonValue::Kind::object, where);
    for (const JsonMember& value : values.members)
      part->second.options[value.key] = member(values, value.key, JsonValue::Kind::text, where).text;
  }
  return change;
}

void check_table(const Archive& archive, const std::string& name, std::uint64_t rows) {
  const std::string path = archive_path("/alphas", name);
  const Array table = archive.array(path);
  if (table.type != ElementType::float32 && table.type != ElementType::float64)
    refuse(archive, path, std::string("expected float32 or float64, found ") + element_name(table.type));
  const std::size_t operations = archive.texts(archive_path("/operations", name)).size();
  const bool fits = (table.shape.size() == 3 || table.shape.size() == 4) && table.shape.front() == rows &&
                    table.shape.back() == operations;
  if (!fits)
    refuse(archive, path,
           "expected the shape [" + std::to_string(rows) + ", (cells,) edges, " + std::to_string(operations) +
               "], found " + shape_text(table.shape));
  require_finite(archive, path);
}

/// Those of every search of its task; parts add their own.
std::vector<std::string> metric_names(const Archive& archive) {
  const std::string figure = task_of(stored::archived_data(archive)).step_figure().name;
  return {"train_loss", "train_" + figure, "learning_rate", "valid_loss", "valid_" + figure};
}

}  // namespace

std::vector<StrategyChange> strategy_changes(const Archive& archive) {
  std::vector<StrategyChange> changes;
  for (const std::string& text : archive.texts("/strategy_history"))
    changes.push_back(strategy_change(text, archive.name() + ": /strategy_history"));
  if (changes.empty()) refuse(archive, "/strategy_history", "is empty; a search has a strategy from its start on");
  return changes;
}

std::vector<Genotype> genotypes(const Archive& archive) {
  std::vector<Genotype> all;
  for (const std::string& text : archive.texts("/genotypes"))
    all.push_back(genotype_from_json(text, archive.name() + ": /genotypes", ErrorCode::bad_data));
  return all;
}

void check_run(const Archive& archive) {
  stored::check_layout(archive, run_kind);
  stored::check_position(archive, run_kind, /*equal_epochs=*/false);
  (void)archive.text("/position", "stop_reason");
  const auto epochs = static_cast<std::uint64_t>(archive.integer("/position", "epoch"));
  stored::check_count(archive, "/genotypes", epochs + 1, genotypes(archive).size(), "the start and each epoch");
  stored::check_metrics(archive, metric_names(archive), /*others=*/true);
  (void)strategy_changes(archive);
  for (const std::string& name : archive.children("/alphas")) check_table(archive, name, epochs + 1);
  for (const std::string& name : archive.children("/position/alphas"))
    require_finite(archive, archive_path("/position/alphas", name));
  stored::check_generator(archive);
  stored::check_provenance(archive);
}

void check_alphas(const Archive& archive, const std::vector<AlphaSet>& declarations) {
  const auto rows = static_cast<std::uint64_t>(archive.integer("/position", "epoch")) + 1;
  for (const AlphaSet& declaration : declarations) {
    const std::string path = archive_path("/alphas", declaration.name);
    const std::string labels = archive_path("/operations", declaration.name);
    std::vector<std::uint64_t> shape{rows};
    for (const std::int64_t size : declaration.shape()) shape.push_back(static_cast<std::uint64_t>(size));
    const std::vector<std::uint64_t> found = archive.array(path).shape;
    if (found != shape)
      refuse(
          archive, path,
          "expected the shape " + shape_text(shape) + ", which the config's space means, found " + shape_text(found));
    if (const auto operations = archive.texts(labels); operations != declaration.topology.operations)
      refuse(archive, labels,
             "expected the operations " + joined(declaration.topology.operations) + ", found " + joined(operations));
  }
}

Config archived_config(const Archive& archive, const OptionCatalog& catalog) {
  check_run(archive);
  return stored::archived_config(archive, run_kind, catalog);
}

}  // namespace mixop
