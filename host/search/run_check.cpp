#include "host/search/run_check.hpp"

#include <ATen/ATen.h>

#include "host/genotype/genotype_json.hpp"
#include "host/search/stored_fields.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/search/strategy_history.hpp"
#include "host/task/task.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

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

/// Beside the alphas of that name.
void check_dropped(const Archive& archive, const std::string& name) {
  const std::string path = archive_path("/dropped", name), alphas = archive_path("/alphas", name);
  if (!archive.has(alphas)) refuse(archive, path, "there are no alphas " + alphas);
  const Array table = archive.array(path);
  const std::vector<std::uint64_t> shape = archive.array(alphas).shape;
  if (table.type != ElementType::uint8 || table.shape != shape)
    refuse(archive, path, std::string("expected uint8 of the shape ") + shape_text(shape) + ", as its alphas have, found " +
                              element_name(table.type) + " of " + shape_text(table.shape));
  for (const std::uint8_t value : archive.values<std::uint8_t>(path))
    if (value > 1) refuse(archive, path, "expected 0 and 1, found " + std::to_string(value));
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
  (void)read_section<StoredSearch>(archive, "/position");
  const auto epochs = static_cast<std::uint64_t>(archive.integer("/position", "epoch"));
  stored::check_count(archive, "/genotypes", epochs + 1, genotypes(archive).size(), "the start and each epoch");
  stored::check_metrics(archive, metric_names(archive), /*others=*/true);
  (void)strategy_changes(archive);
  for (const std::string& name : archive.children("/alphas")) check_table(archive, name, epochs + 1);
  if (archive.has("/dropped"))
    for (const std::string& name : archive.children("/dropped")) check_dropped(archive, name);
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

DroppedOperations dropped_operations(const Archive& archive, const std::vector<AlphaSet>& declarations, std::int64_t row) {
  DroppedOperations all;
  for (const AlphaSet& declaration : declarations) {
    const std::string path = archive_path("/dropped", declaration.name);
    at::Tensor& own = all.emplace_back();
    if (!archive.has(path)) continue;
    own = get_tensor(archive, path)[row].to(at::kBool).contiguous();
    if (!own.any().item<bool>()) own = at::Tensor();
  }
  return all;
}

Config archived_config(const Archive& archive, const OptionCatalog& catalog) {
  check_run(archive);
  return stored::archived_config(archive, run_kind, catalog);
}

}  // namespace mixop
