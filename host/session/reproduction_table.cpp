#include "host/session/reproduction_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/archive/archive.hpp"
#include "host/json/json.hpp"
#include "host/search/stored_parts.hpp"
#include "host/train/network_archive.hpp"
#include "host/train/network_check.hpp"
#include "host/train/training.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr double kMillion = 1e6, kSecondsOfDay = 86400;

/// Mean and deviation of a sample, as a row has them.
void put_sample(ReproductionRow& row, const std::vector<double>& values) {
  row.runs = values.size();
  if (values.empty()) return;
  const auto count = static_cast<double>(values.size());
  const bool all_equal = std::equal(values.begin() + 1, values.end(), values.begin());  // whose mean may round to another
  const double mean = all_equal ? values.front() : std::accumulate(values.begin(), values.end(), 0.0) / count;
  row.ours = mean;
  if (values.size() < 2) return;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  row.deviation = std::sqrt(squares / (count - 1));
}

/// How a figure of records is tabled: what is better when larger is a share, whose rest is the error.
std::string row_name(const char* records, const Figure& figure) {
  return std::string(records) + " " + figure.label + (figure.larger_is_better ? " error" : "");
}
double row_value(const Figure& figure, double value) { return figure.larger_is_better ? 100 - value : value; }

/// Seconds of all epochs of a run.
double seconds_in(const fs::path& archive) {
  const std::vector<double> seconds = Archive::open(archive).values<double>(stored::epoch_seconds);
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

std::int64_t epochs_of(const fs::path& archive) { return Archive::open(archive).integer("/position", "epoch"); }

}  // namespace

/// The rows of a table in the order of their first value.
class ReproductionTable::Rows {
 public:
  /// Adds a run's value to a row.
  void add(const std::string& what, const std::string& unit, double value, const std::string& note = "") {
    row(what, unit, note).second.push_back(value);
  }

  std::vector<ReproductionRow> finished(const Experiment& experiment, const ReproductionRow& runs) {
    std::vector<ReproductionRow> rows;
    for (auto& [row, values] : rows_) {
      put_sample(row, values);
      row.epochs = runs.epochs;
      row.cost_s = runs.cost_s;
      rows.push_back(row);
    }
    for (const PaperFigure& figure : experiment.paper)
      for (ReproductionRow& row : rows)
        if (row.what == figure.what) row.paper = figure;
    return rows;
  }

 private:
  std::pair<ReproductionRow, std::vector<double>>& row(const std::string& what, const std::string& unit,
                                                       const std::string& note) {
    for (auto& entry : rows_)
      if (entry.first.what == what) return entry;
    rows_.push_back({{what, unit, {}, {}, {}, 0, 0, 0, note}, {}});
    return rows_.back();
  }

  std::vector<std::pair<ReproductionRow, std::vector<double>>> rows_;
};

void ReproductionTable::add_training(Rows& rows, const TrainedNetwork& trained) const {
  const Archive net = Archive::open(plan.archive(trained.name));
  const LoopRecord record = stored::record_of(net);
  const JsonValue score = parse_json_file(plan.scores(trained.evaluation()), ErrorCode::bad_data);
  const std::optional<std::int64_t> kept = best_epoch(record, "valid_loss");
  for (const RecordFigure& figure : task.record_figures()) {
    if (const JsonValue* measured = score.find(figure.name))
      rows.add(row_name("test", figure), figure.unit, row_value(figure, measured->number));
    const auto valid = record.metrics.find(std::string("valid_") + figure.name);
    if (valid != record.metrics.end() && kept)
      rows.add(row_name("valid", figure), figure.unit, row_value(figure, valid->second.at(static_cast<std::size_t>(*kept - 1))));
    const std::string test = std::string("test_") + figure.name;
    if (const auto best = best_epoch(record, test); best && &figure == &task.record_figures().front())
      rows.add(row_name("test", figure) + ", best epoch", figure.unit,
               row_value(figure, record.metrics.at(test).at(static_cast<std::size_t>(*best - 1))),
               "chosen by the test split, so it is no result");
  }
  const Config config = archived_network_config(net, application.catalog);
  const Cost cost = archived_size(net, config, stored::archived_data(net), application.plugins, options_of(config)).cost();
  rows.add("parameters", "M", static_cast<double>(cost.parameters) / kMillion);
  rows.add("multiply-adds", "M", static_cast<double>(cost.multiply_adds) / kMillion);
}

std::vector<ReproductionRow> ReproductionTable::rows() const {
  Rows trainings;
  ReproductionRow costs;
  for (const TrainedNetwork& trained : plan.trained()) {
    if (!plan.has_scores(trained)) continue;
    add_training(trainings, trained);
    const auto took = seconds.find(trained.evaluation());
    costs.epochs = std::max(costs.epochs, epochs_of(plan.archive(trained.name)));
    costs.cost_s += seconds_in(plan.archive(trained.name)) + (took == seconds.end() ? 0 : took->second);
  }
  std::vector<ReproductionRow> rows = trainings.finished(experiment, costs);
  for (ReproductionRow& row : rows)
    if (!left_out.empty()) row.note += (row.note.empty() ? "" : "; ") + left_out;
  const auto add_times = [&](const std::string& what, const std::vector<fs::path>& files) {
    Rows times;
    ReproductionRow own;
    for (const fs::path& file : files) {
      if (!fs::exists(file)) continue;
      times.add(what, "days", seconds_in(file) / kSecondsOfDay);
      own.epochs = std::max(own.epochs, epochs_of(file));
      own.cost_s += seconds_in(file);
    }
    for (const ReproductionRow& row : times.finished(experiment, own)) rows.push_back(row);
  };
  std::vector<fs::path> searches, selections;
  for (const GenotypeOrigin& origin : plan.origins()) {
    if (experiment.search) searches.push_back(origin.file);
    if (experiment.select) selections.push_back(plan.archive(origin.selection()));
  }
  add_times("search of a seed", searches);
  add_times("training that selects", selections);
  return rows;
}

}  // namespace mixop
