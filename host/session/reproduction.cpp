#include "host/session/reproduction.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>
#include <thread>

#include "host/archive/file.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/process/child_process.hpp"
#include "host/search/stored_parts.hpp"
#include "host/session/sample.hpp"
#include "host/session/search_session.hpp"
#include "host/session/train_session.hpp"
#include "host/text/sha256.hpp"
#include "host/text/text.hpp"
#include "host/train/network_archive.hpp"
#include "host/train/network_check.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kStandIns = 3;  // networks that stand in for one that is still to be found
constexpr std::size_t kDigits = 16;     // of the digest by which stages are known
constexpr double kMillion = 1e6, kSecondsOfDay = 86400;

std::vector<std::string> sets_of(const StageRuns& runs) {
  std::vector<std::string> arguments;
  for (const std::string& assignment : runs.sets) arguments.insert(arguments.end(), {"--set", assignment});
  return arguments;
}

void append(std::vector<std::string>& arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

template <class Request>
Request request_of(const StageRuns& runs, const std::optional<std::string>& data) {
  Request request;
  request.preset_or_file = runs.preset;
  request.sets = runs.sets;
  request.data = data;
  return request;
}

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

void write_optional(JsonWriter& json, const char* name, const std::optional<double>& value) {
  value ? json.member(name, *value) : json.key(name).null();
}

class NobodyObserves final : public SessionObserver {
  void on_line(const std::string&) override {}
};

/// Whether the scores of an archive are there, whole, and of the archive as it is.
bool has_scores(const fs::path& scores, const fs::path& archive) {
  if (!fs::exists(scores) || !fs::exists(archive) || fs::last_write_time(scores) < fs::last_write_time(archive)) return false;
  try {
    (void)parse_json_file(scores, ErrorCode::bad_data);
    return true;
  } catch (const Error&) {  // which a power cut has left
    return false;
  }
}

/// Seconds of all epochs of a run.
double seconds_in(const fs::path& archive) {
  const std::vector<double> seconds = Archive::open(archive).values<double>(stored::epoch_seconds);
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

/// Of a file in the folder itself.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

std::int64_t epochs_of(const fs::path& archive) { return Archive::open(archive).integer("/position", "epoch"); }

}  // namespace

/// The rows of a table in the order of their first value.
class Reproduction::Rows {
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

Reproduction::Reproduction(ReproductionRequest request, const Application& application)
    : request_(std::move(request)),
      application_(application),
      experiment_(
          read_experiment(request_.experiment, request_.scale, shared_folders(application.plugins, "experiments"))) {
  check_runs();
  plan();
  request_.jobs = std::min(request_.jobs, std::max(origins_.size(), trained_.size()));
}

/// All presets, keys, networks and data, before days of searches.
void Reproduction::check_runs() {
  for (const auto* runs : {&experiment_.search, &experiment_.sample}) {
    if (!*runs) continue;
    const RunInputs inputs = inputs_of(request_of<SearchRequest>(**runs, request_.data), application_);
    (void)measured_supernet(inputs.config, application_.plugins, inputs.options, inputs.data.info());
    space_ = inputs.config.space.name;
  }
  for (const StageRuns* runs : {experiment_.select ? &*experiment_.select : nullptr, &experiment_.train})
    if (runs != nullptr) task_ = &task_of(inputs_of(training_request(*runs), application_).data.info().kind);
}

TrainRequest Reproduction::training_request(const StageRuns& runs) const {
  TrainRequest request = request_of<TrainRequest>(runs, request_.data);
  if (!space_.empty()) request.sets.push_back("space.name=" + space_);
  return request;
}

void Reproduction::plan() {
  const std::optional<StageRuns>& first = experiment_.search ? experiment_.search : experiment_.sample;
  if (first)
    for (const std::int64_t seed : first->seeds) {
      const std::string name = (experiment_.search ? "search-" : "sample-") + std::to_string(seed);
      origins_.push_back({seed, name, experiment_.search ? archive(name) : scores(name)});
    }
  const std::vector<std::int64_t>& seeds = experiment_.train.seeds;
  const auto add = [&](const std::string& name, std::optional<std::size_t> origin) {
    for (const std::int64_t seed : seeds)
      trained_.push_back({name + (origin && seeds.size() == 1 ? "" : "-" + std::to_string(seed)), origin, seed});
  };
  if (!first || experiment_.select) return add("train", {});
  for (std::size_t i = 0; i < origins_.size(); ++i) add("train-" + std::to_string(origins_[i].seed), i);
}

std::string Reproduction::request_text() const {
  std::string stages = experiment_.genotype;
  for (const std::optional<StageRuns>& runs :
       {experiment_.search, experiment_.sample, experiment_.select, std::optional(experiment_.train)}) {
    stages += '\n';
    if (!runs) continue;
    stages += runs->preset + ' ' + joined(runs->sets, " ");
    for (const std::int64_t seed : runs->seeds) stages += ' ' + std::to_string(seed);
  }
  return experiment_.name + " at " + scale_name(experiment_.scale) + " scale, stages " + sha256_of_text(stages).substr(0, kDigits);
}

OutputFolder Reproduction::place() const {
  return {request_.out, "reproduction.json", "mixop.reproduction/1", "reproduction"};
}

/// Begins anew: nothing is left of what the reproduction that was here lists as its own.
void Reproduction::clear() const {
  if (place().has_result()) {
    const JsonValue before = place().read();
    if (const JsonValue* files = before.find("files"))
      for (const JsonValue& file : files->items)
        if (is_plain_name(file.text)) remove_written(request_.out / file.text);
  }
  replace_text(place().result(), result_json());
  fs::remove(place().result().string() + ".prev");
}

std::string Reproduction::threads_key() const {
  return "threads=" + std::to_string(std::max<std::size_t>(1, std::thread::hardware_concurrency() / request_.jobs));
}

std::vector<std::string> Reproduction::place_arguments() const {
  std::vector<std::string> arguments{"--set", threads_key()};
  if (request_.data) append(arguments, {"--data", *request_.data});
  append(arguments, request_.plugin_arguments);
  return arguments;
}

StageCommand Reproduction::run_command(const char* kind, const StageRuns& runs, std::int64_t seed, const fs::path& out,
                                       const std::string& genotype) const {
  StageCommand command{{kind}};
  if (fs::exists(out)) {
    append(command.arguments, {"--resume"});
  } else {
    append(command.arguments, {runs.preset, "--seed", std::to_string(seed)});
    append(command.arguments, sets_of(runs));
    if (!genotype.empty()) append(command.arguments, {"--genotype", genotype});
    if (!genotype.empty() && !space_.empty()) append(command.arguments, {"--set", "space.name=" + space_});
  }
  append(command.arguments, {"--out", out.string()});
  append(command.arguments, place_arguments());
  return command;
}

std::string Reproduction::genotype_of(const std::optional<std::size_t>& origin) const {
  if (origin) return origins_[*origin].file.string();
  if (!experiment_.genotype.empty()) return experiment_.genotype;
  const std::vector<SeedCandidate> all = candidates();
  const SeedCandidate* const best = best_of(all, *task_);
  if (best == nullptr) fail_without_network(defects_.begin()->second);
  return best->search.string();
}

const std::string& Reproduction::defect_of(std::size_t origin, const StageRuns& runs, SessionObserver& observer) {
  const auto known = defects_.find(origin);
  if (known != defects_.end()) return known->second;
  TrainRequest request = training_request(runs);
  request.genotype = origins_[origin].file.string();
  const std::string& defect = defects_[origin] = network_defect(request, application_);
  if (!defect.empty())
    observer.on_line(origins_[origin].name + " found a network that cannot be built: " + defect);
  return defect;
}

SeedCandidate Reproduction::candidate(std::size_t origin) const {
  const Origin& from = origins_[origin];
  SeedCandidate candidate{from.seed, from.file, archive(selection_name(from))};
  if (const auto defect = defects_.find(origin); defect != defects_.end()) candidate.defect = defect->second;
  if (candidate.defect.empty()) candidate.train_curves = curves_of(candidate.train);
  return candidate;
}

std::vector<SeedCandidate> Reproduction::candidates() const {
  std::vector<SeedCandidate> all;
  for (std::size_t i = 0; i < origins_.size(); ++i)
    if (const auto defect = defects_.find(i); done_.count(selection_name(origins_[i])) != 0 ||
                                              (defect != defects_.end() && !defect->second.empty()))
      all.push_back(candidate(i));
  return all;
}

WorkStage Reproduction::origin_stage(std::size_t i) const {
  const Origin& origin = origins_[i];
  if (experiment_.search)
    return {origin.name, {}, [this, &origin] { return run_command("search", *experiment_.search, origin.seed, origin.file); }};
  return {origin.name, {}, [this, &origin]() -> std::optional<StageCommand> {
            if (fs::exists(origin.file)) return std::nullopt;
            StageCommand command{{"sample", experiment_.sample->preset, "--seed", std::to_string(origin.seed)}, origin.file};
            append(command.arguments, sets_of(*experiment_.sample));
            append(command.arguments, request_.plugin_arguments);
            return command;
          }};
}

std::vector<WorkStage> Reproduction::stages(SessionObserver& observer) {
  std::vector<WorkStage> all;
  std::vector<std::string> chosen;  // what the winner is known by
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    all.push_back(origin_stage(i));
    if (!experiment_.select) continue;
    chosen.push_back(selection_name(origins_[i]));
    all.push_back({chosen.back(), {origins_[i].name}, [this, i, &observer]() -> std::optional<StageCommand> {
                     const StageRuns& runs = *experiment_.select;
                     if (!defect_of(i, runs, observer).empty()) return std::nullopt;
                     return run_command("train", runs, runs.seeds.front(), archive(selection_name(origins_[i])), genotype_of(i));
                   }});
  }
  std::vector<std::string> evaluated;
  for (const Trained& trained : trained_) {
    const std::vector<std::string> needs = trained.origin ? std::vector{origins_[*trained.origin].name} : chosen;
    all.push_back({trained.name, needs, [this, &trained, &observer]() -> std::optional<StageCommand> {
                     if (trained.origin && !defect_of(*trained.origin, experiment_.train, observer).empty()) return std::nullopt;
                     return run_command("train", experiment_.train, trained.seed, archive(trained.name), genotype_of(trained.origin));
                   }});
    evaluated.push_back(evaluation_name(trained));
    all.push_back({evaluated.back(), {trained.name}, [this, &trained]() -> std::optional<StageCommand> {
                     const fs::path output = scores(evaluation_name(trained));
                     if (has_scores(output, archive(trained.name)) || !fs::exists(archive(trained.name))) return std::nullopt;
                     StageCommand command{{"evaluate", archive(trained.name).string(), "--json"}, output};
                     append(command.arguments, place_arguments());
                     return command;
                   }});
  }
  all.push_back({"report", evaluated, [this]() -> std::optional<StageCommand> {
                   if (std::none_of(trained_.begin(), trained_.end(),
                                    [&](const Trained& trained) { return fs::exists(archive(trained.name)); }))
                     fail_without_network(defects_.begin()->second);
                   StageCommand command{{"report"}};
                   for (const fs::path& file : archives()) command.arguments.push_back(file.string());
                   append(command.arguments, {"-o", report().string()});
                   append(command.arguments, request_.plugin_arguments);
                   return command;
                 }});
  return all;
}

std::vector<fs::path> Reproduction::archives() const {
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& file) {
    if (fs::exists(file)) files.push_back(file);
  };
  if (experiment_.search)
    for (const Origin& origin : origins_) add(origin.file);
  for (const Trained& trained : trained_) add(archive(trained.name));
  return files;
}

std::vector<std::string> Reproduction::files() const {
  std::vector<std::string> names{report().filename(), "report.log"};
  const auto add = [&](const std::string& stage, const fs::path& file) {
    names.insert(names.end(), {file.filename(), stage + ".log"});
  };
  for (const Origin& origin : origins_) {
    add(origin.name, origin.file);
    if (experiment_.select) add(selection_name(origin), archive(selection_name(origin)));
  }
  for (const Trained& trained : trained_) {
    add(trained.name, archive(trained.name));
    add(evaluation_name(trained), scores(evaluation_name(trained)));
  }
  return names;
}

bool Reproduction::run(SessionObserver& observer, const std::atomic<int>& interrupt) {
  place().take(request_text(), request_.overwrite);
  const ArchiveLock lock(place().result());
  if (request_.overwrite || !place().has_result())
    clear();
  else if (const JsonValue before = place().read(); const JsonValue* const stages = before.find("stages"))
    for (const JsonMember& stage : stages->members) seconds_[stage.key] = stage.value.number;
  const auto note = [&](const WorkStage& stage, double seconds, bool done) {
    seconds_[stage.name] += seconds;
    if (done) done_.insert(stage.name);
    replace_text(place().result(), result_json());
  };
  if (!run_stages(stages(observer), request_.jobs, request_.out, note, observer, interrupt)) return false;
  replace_text(place().result(), result_json());
  return true;
}

TrainingTime Reproduction::training_time(const StageRuns& runs) const {
  TrainRequest request = training_request(runs);
  request.sets.push_back(threads_key());
  request.genotype = experiment_.genotype;
  if (!request.genotype.empty()) return predicted_seconds(request, application_);
  const StageRuns& first = experiment_.search ? *experiment_.search : *experiment_.sample;
  const Config config = inputs_of(request_of<SearchRequest>(first, request_.data), application_).config;
  TrainingTime mean;
  for (std::uint64_t seed = 0; seed < kStandIns; ++seed) {
    request.genotype = genotype_to_json(sampled_genotype(config, application_.plugins, seed));
    const TrainingTime one = predicted_seconds(request, application_);
    mean.train_s += one.train_s / kStandIns;
    mean.evaluate_s += one.evaluate_s / kStandIns;
  }
  return mean;
}

std::vector<StageTime> Reproduction::forecast(double& seconds) {
  const auto begin = std::chrono::steady_clock::now();
  (void)run_child({fs::read_symlink("/proc/self/exe").string(), "list", "spaces"}, std::chrono::minutes(1));
  const double start = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  double search = 0;
  if (experiment_.search) {
    SearchRequest request = request_of<SearchRequest>(*experiment_.search, request_.data);
    request.sets.push_back(threads_key());
    search = predicted_seconds(request, application_);
  }
  const TrainingTime select = experiment_.select ? training_time(*experiment_.select) : TrainingTime{};
  const TrainingTime train = training_time(experiment_.train);
  std::vector<StageTime> times;
  for (const Origin& origin : origins_) {
    times.push_back({origin.name, start + search});
    if (experiment_.select) times.push_back({selection_name(origin), start + select.train_s});
  }
  for (const Trained& trained : trained_) {
    times.push_back({trained.name, start + train.train_s});
    times.push_back({evaluation_name(trained), start + train.evaluate_s});
  }
  times.push_back({"report", start});
  NobodyObserves silent;
  std::map<std::string, double> by_name;
  for (const StageTime& time : times) by_name[time.name] = time.seconds;
  seconds = planned_seconds(stages(silent), by_name, request_.jobs);
  return times;
}

double Reproduction::seconds_of(const std::string& stage) const {
  const auto found = seconds_.find(stage);
  return found == seconds_.end() ? 0 : found->second;
}

void Reproduction::add_training(Rows& rows, const Trained& trained) const {
  const Archive net = Archive::open(archive(trained.name));
  const LoopRecord record = stored::record_of(net);
  const JsonValue score = parse_json_file(scores(evaluation_name(trained)), ErrorCode::bad_data);
  const std::optional<std::int64_t> kept = best_epoch(record, "valid_loss");
  for (const RecordFigure& figure : task_->record_figures()) {
    if (const JsonValue* measured = score.find(figure.name))
      rows.add(row_name("test", figure), figure.unit, row_value(figure, measured->number));
    const auto valid = record.metrics.find(std::string("valid_") + figure.name);
    if (valid != record.metrics.end() && kept)
      rows.add(row_name("valid", figure), figure.unit, row_value(figure, valid->second.at(static_cast<std::size_t>(*kept - 1))));
    const std::string test = std::string("test_") + figure.name;
    if (const auto best = best_epoch(record, test); best && &figure == &task_->record_figures().front())
      rows.add(row_name("test", figure) + ", best epoch", figure.unit,
               row_value(figure, record.metrics.at(test).at(static_cast<std::size_t>(*best - 1))),
               "chosen by the test split, so it is no result");
  }
  const Config config = archived_network_config(net, application_.catalog);
  const Cost cost = archived_size(net, config, stored::archived_data(net), application_.plugins, options_of(config)).cost();
  rows.add("parameters", "M", static_cast<double>(cost.parameters) / kMillion);
  rows.add("multiply-adds", "M", static_cast<double>(cost.multiply_adds) / kMillion);
}

std::vector<ReproductionRow> Reproduction::rows() const {
  Rows trainings;
  ReproductionRow costs;
  for (const Trained& trained : trained_) {
    if (!has_scores(scores(evaluation_name(trained)), archive(trained.name))) continue;
    add_training(trainings, trained);
    costs.epochs = std::max(costs.epochs, epochs_of(archive(trained.name)));
    costs.cost_s += seconds_in(archive(trained.name)) + seconds_of(evaluation_name(trained));
  }
  std::vector<ReproductionRow> rows = trainings.finished(experiment_, costs);
  if (const std::string left_out = left_out_text(); !left_out.empty())
    for (ReproductionRow& row : rows) row.note += (row.note.empty() ? "" : "; ") + left_out;
  const auto add_times = [&](const std::string& what, const std::vector<fs::path>& files) {
    Rows times;
    ReproductionRow own;
    for (const fs::path& file : files) {
      if (!fs::exists(file)) continue;
      times.add(what, "days", seconds_in(file) / kSecondsOfDay);
      own.epochs = std::max(own.epochs, epochs_of(file));
      own.cost_s += seconds_in(file);
    }
    for (const ReproductionRow& row : times.finished(experiment_, own)) rows.push_back(row);
  };
  std::vector<fs::path> searches, selections;
  for (const Origin& origin : origins_) {
    if (experiment_.search) searches.push_back(origin.file);
    if (experiment_.select) selections.push_back(archive(selection_name(origin)));
  }
  add_times("search of a seed", searches);
  add_times("training that selects", selections);
  return rows;
}

std::string Reproduction::left_out_text() const {
  std::vector<std::string> names;
  for (const auto& [origin, defect] : defects_)
    if (!defect.empty()) names.push_back(origins_[origin].name);
  return names.empty() ? "" : "without the networks that cannot be built, of " + joined(names);
}

std::string Reproduction::result_json() const {
  JsonWriter json;
  json.begin_object().member("layout", place().layout).member("request", request_text());
  json.member("experiment", experiment_.name).member("scale", scale_name(experiment_.scale));
  json.member("protocol", experiment_.protocol).member("source", experiment_.source);
  json.key("rows").begin_list();
  for (const ReproductionRow& row : rows()) {
    json.begin_object().member("what", row.what).member("unit", row.unit);
    write_optional(json, "paper", row.paper ? std::optional(row.paper->value) : std::nullopt);
    write_optional(json, "paper_std", row.paper ? row.paper->deviation : std::nullopt);
    json.member("paper_unit", row.paper ? row.paper->unit : "").member("paper_where", row.paper ? row.paper->where : "");
    write_optional(json, "ours", row.ours);
    write_optional(json, "std", row.deviation);
    json.member("runs", row.runs).member("epochs", row.epochs).member("cost_s", row.cost_s);
    json.member("scaled", joined(experiment_.scaled, "; ")).member("note", row.note).end();
  }
  json.end().key("candidates").begin_list();
  for (const SeedCandidate& candidate : candidates()) {
    json.begin_object().member("seed", candidate.seed).member("from", candidate.search.filename().string());
    json.member("defect", candidate.defect);
    write_optional(json, selection_metric(*task_).c_str(),
                   candidate.defect.empty() ? std::optional(candidate.figure(selection_metric(*task_))) : std::nullopt);
    json.end();
  }
  json.end().key("stages").begin_object();
  for (const auto& [name, seconds] : seconds_) json.member(name, seconds);
  json.end().member("files", files());
  return json.end().text() + "\n";
}

}  // namespace mixop
