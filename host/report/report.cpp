#include "host/report/report.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "host/files/installed.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/report/archive_json.hpp"
#include "host/report/costs.hpp"
#include "host/report/edge_weights.hpp"
#include "host/report/evaluation.hpp"
#include "host/report/gene_changes.hpp"
#include "host/report/page_template.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/run_check.hpp"
#include "host/search/search.hpp"
#include "host/text/whole_file.hpp"
#include "host/train/network_check.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

/// Of a search whose genotype changes more often the last ones are drawn.
constexpr std::size_t kMostPictures = 60;
/// What a picture of alphas can show.
constexpr double kDigits = 1e5;

template <class Value>
void write_numbers(JsonWriter& json, const std::vector<Value>& values) {
  json.begin_list();
  for (const double value : values) json.value(std::isfinite(value) ? std::round(value * kDigits) / kDigits : value);
  json.end();
}

/// Sets of alphas over the epochs, their weights, and where operations are dropped which: [epoch, (cell,) edge,
/// operation], row-major.
void write_alphas(JsonWriter& json, const Archive& archive, const std::vector<EdgeWeights>& weights) {
  json.key("alphas").begin_list();
  for (const std::string& name : archive.children("/alphas")) {
    const std::string path = archive_path("/alphas", name), operations = archive_path("/operations", name),
                      edges = archive_path("/edges", name);
    const Array array = archive.array(path);
    json.begin_object().member("name", name).key("shape").begin_list();
    for (const std::uint64_t size : array.shape) json.value(size);
    json.end();
    if (archive.has(operations)) json.member("operations", archive.texts(operations));
    if (archive.has(edges)) json.member("edges", archive.texts(edges));
    json.key("values");
    array.type == ElementType::float64 ? write_numbers(json, array.values<double>(archive.name() + ": " + path))
                                       : write_numbers(json, array.values<float>(archive.name() + ": " + path));
    for (const EdgeWeights& own : weights) {
      if (own.name != name) continue;
      write_numbers(json.key("rest"), own.rest);
      if (!own.training.empty()) write_numbers(json.key("training"), own.training);
    }
    if (const std::string dropped = archive_path("/dropped", name); archive.has(dropped)) {
      json.key("dropped").begin_list();
      for (const std::uint8_t is : archive.values<std::uint8_t>(dropped)) json.value(static_cast<std::int64_t>(is));
      json.end();
    }
    json.end();
  }
  json.end();
}

/// The alphas, which of the strategy's changes was in force for each of their rows, and what its relaxations say of
/// themselves.
void write_weights(JsonWriter& json, const Archive& archive, const Application& application) {
  std::vector<EdgeWeights> weights;
  std::string problem;
  try {
    weights = edge_weights(archive, application);
  } catch (const Error& error) {  // alphas as they are can be shown without the plugins that a search used
    problem = error.what();
  }
  write_alphas(json, archive, weights);
  const std::vector<StrategyChange> changes = strategy_changes(archive);
  json.member("draws", kDraws).member("weights_problem", problem).key("in_force").begin_list();
  for (std::int64_t row = 0; row <= archive.integer("/position", "epoch"); ++row) json.value(in_force(changes, row));
  json.end().key("relaxations").begin_list();
  for (const StrategyChange& change : changes) {
    const std::string& name = change.parts.at(std::string(Relaxation::slot.name)).part;
    json.value(problem.empty() ? application.plugins.summary(Relaxation::slot.interface_id, name) : "");
  }
  json.end();
}

void write_picture(JsonWriter& json, std::size_t epoch, const Picture& picture) {
  json.begin_object().member("epoch", epoch).member("image", picture.image).member("problem", picture.problem).end();
}

/// How the genotype came about: its skips, and what changed, epoch by epoch.
void write_evolution(JsonWriter& json, const std::vector<Genotype>& found) {
  json.key("evolution").begin_list();
  for (std::size_t epoch = 0; epoch < found.size(); ++epoch) {
    const auto changes = gene_changes(found[epoch == 0 ? 0 : epoch - 1], found[epoch]);
    json.begin_object().member("skips", skip_genes(found[epoch])).member("changed", changed_genes(changes));
    json.key("changes").begin_list();
    for (const GeneChange& change : changes)
      json.begin_object()
          .member("cell", change.cell)
          .member("node", change.node)
          .member("before", change.before)
          .member("after", change.after)
          .end();
    json.end().end();
  }
  json.end();
}

/// Every genotype that others came before, by the epoch from which on it held.
void write_pictures(JsonWriter& json, const std::vector<Genotype>& found, Pictures& pictures) {
  std::vector<std::size_t> drawn;
  for (std::size_t epoch = 0; epoch < found.size(); ++epoch)
    if (drawn.empty() || !gene_changes(found[drawn.back()], found[epoch]).empty()) drawn.push_back(epoch);
  const std::size_t left_out = drawn.size() - std::min(drawn.size(), kMostPictures);
  json.member("pictures_left_out", left_out).key("pictures").begin_list();
  for (std::size_t i = left_out; i < drawn.size(); ++i) write_picture(json, drawn[i], pictures.of(found[drawn[i]]));
  json.end();
}

std::string part_of_page(const std::string& name) {
  const std::filesystem::path file = installed("share/mixop/report") / name;
  std::optional<std::string> text = whole_file(file);
  if (!text)
    throw Error(ErrorCode::failed, file.string() + ": cannot be read; it comes with mixop, so install that anew");
  return std::move(*text);
}

}  // namespace

std::string Report::run(const Archive& archive) {
  const bool search = stored::is_of_kind(archive, run_kind);
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("file", archive.name()).member("kind", search ? "search" : "network");
  write_archive(json, archive);
  // Texts, for a number of 64 bits is none of JavaScript's.
  json.member("seed", std::to_string(archive.integer("/provenance", "seed")))
      .member("config_text", archive.text(stored::resolved_config));
  write_numbers(json.key("epoch_seconds"), archive.values<double>(stored::epoch_seconds));
  write_costs(json, archive, application_);
  if (search) write_weights(json, archive, application_);
  const std::vector<Genotype> found = search ? genotypes(archive) : std::vector{archived_genotype(archive)};
  if (search) write_evolution(json, found);
  write_pictures(json, found, pictures_);
  if (!data_folder_.empty() && has_confusions(archive)) write_evaluation(json, archive, data_folder_, application_);
  return json.end().text();
}

std::string report_data(const std::vector<std::string>& runs, PageKind kind, bool writing) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("mixop", MIXOP_VERSION_STRING).member("served", kind == PageKind::served);
  json.member("writing", writing).key("runs").begin_list();
  for (const std::string& run : runs) json.raw(run);
  return json.end().end().text();
}

std::string report_page(const std::string& data, PageKind kind) {
  std::string script;
  for (const char* part : {"elements.js", "chart.js", "weights.js", "report.js"}) script += part_of_page(part);
  const std::string style = part_of_page("report.css"), file = "report.html";
  return filled(part_of_page(file),
                {{"script", script},
                 {"style", style},
                 {"script-source", policy_source(script)},
                 {"style-source", policy_source(style)},
                 {"connect-source", kind == PageKind::served ? "'self'" : "'none'"},
                 {"data", within_script(data)}},
                (installed("share/mixop/report") / file).string());
}

}  // namespace mixop
