#include "host/session/reproduction.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "host/archive/file.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/process/child_process.hpp"
#include "host/session/sample.hpp"
#include "host/session/search_session.hpp"
#include "host/session/train_session.hpp"
#include "host/text/sha256.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kStandIns = 3;  // networks that stand in for one that is still to be found
constexpr std::size_t kDigits = 16;     // of the digest by which stages are known

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

void write_optional(JsonWriter& json, const char* name, const std::optional<double>& value) {
  value ? json.member(name, *value) : json.key(name).null();
}

class NobodyObserves final : public SessionObserver {
  void on_line(const std::string&) override {}
};

/// Of a file in the folder itself.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

}  // namespace

Reproduction::Reproduction(ReproductionRequest request, const Application& application)
    : request_(std::move(request)),
      application_(application),
      experiment_(
          read_experiment(request_.experiment, request_.scale, shared_folders(application.plugins, "experiments"))),
      plan_(experiment_, request_.out) {
  check_runs();
  request_.jobs = std::min(request_.jobs, std::max(plan_.origins().size(), plan_.trained().size()));
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
  if (origin) return plan_.origins()[*origin].file.string();
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
  request.genotype = plan_.origins()[origin].file.string();
  const std::string& defect = defects_[origin] = network_defect(request, application_);
  if (!defect.empty())
    observer.on_line(plan_.origins()[origin].name + " found a network that cannot be built: " + defect);
  return defect;
}

SeedCandidate Reproduction::candidate(std::size_t origin) const {
  const GenotypeOrigin& from = plan_.origins()[origin];
  SeedCandidate candidate{from.seed, from.file, plan_.archive(from.selection())};
  if (const auto defect = defects_.find(origin); defect != defects_.end()) candidate.defect = defect->second;
  if (candidate.defect.empty()) candidate.train_curves = curves_of(candidate.train);
  return candidate;
}

std::vector<SeedCandidate> Reproduction::candidates() const {
  std::vector<SeedCandidate> all;
  for (std::size_t i = 0; i < plan_.origins().size(); ++i)
    if (const auto defect = defects_.find(i); done_.count(plan_.origins()[i].selection()) != 0 ||
                                              (defect != defects_.end() && !defect->second.empty()))
      all.push_back(candidate(i));
  return all;
}

WorkStage Reproduction::origin_stage(std::size_t i) const {
  const GenotypeOrigin& origin = plan_.origins()[i];
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
  for (std::size_t i = 0; i < plan_.origins().size(); ++i) {
    all.push_back(origin_stage(i));
    if (!experiment_.select) continue;
    chosen.push_back(plan_.origins()[i].selection());
    all.push_back({chosen.back(), {plan_.origins()[i].name}, [this, i, &observer]() -> std::optional<StageCommand> {
                     const StageRuns& runs = *experiment_.select;
                     if (!defect_of(i, runs, observer).empty()) return std::nullopt;
                     return run_command("train", runs, runs.seeds.front(), plan_.archive(plan_.origins()[i].selection()), genotype_of(i));
                   }});
  }
  std::vector<std::string> evaluated;
  for (const TrainedNetwork& trained : plan_.trained()) {
    const std::vector<std::string> needs = trained.origin ? std::vector{plan_.origins()[*trained.origin].name} : chosen;
    all.push_back({trained.name, needs, [this, &trained, &observer]() -> std::optional<StageCommand> {
                     if (trained.origin && !defect_of(*trained.origin, experiment_.train, observer).empty()) return std::nullopt;
                     return run_command("train", experiment_.train, trained.seed, plan_.archive(trained.name), genotype_of(trained.origin));
                   }});
    evaluated.push_back(trained.evaluation());
    all.push_back({evaluated.back(), {trained.name}, [this, &trained]() -> std::optional<StageCommand> {
                     const fs::path output = plan_.scores(trained.evaluation());
                     if (plan_.has_scores(trained) || !fs::exists(plan_.archive(trained.name))) return std::nullopt;
                     StageCommand command{{"evaluate", plan_.archive(trained.name).string(), "--json"}, output};
                     append(command.arguments, place_arguments());
                     return command;
                   }});
  }
  all.push_back({"report", evaluated, [this]() -> std::optional<StageCommand> {
                   if (std::none_of(plan_.trained().begin(), plan_.trained().end(),
                                    [&](const TrainedNetwork& trained) { return fs::exists(plan_.archive(trained.name)); }))
                     fail_without_network(defects_.begin()->second);
                   StageCommand command{{"report"}};
                   for (const fs::path& file : plan_.archives()) command.arguments.push_back(file.string());
                   append(command.arguments, {"-o", report().string()});
                   append(command.arguments, request_.plugin_arguments);
                   return command;
                 }});
  return all;
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
  for (const GenotypeOrigin& origin : plan_.origins()) {
    times.push_back({origin.name, start + search});
    if (experiment_.select) times.push_back({origin.selection(), start + select.train_s});
  }
  for (const TrainedNetwork& trained : plan_.trained()) {
    times.push_back({trained.name, start + train.train_s});
    times.push_back({trained.evaluation(), start + train.evaluate_s});
  }
  times.push_back({"report", start});
  NobodyObserves silent;
  std::map<std::string, double> by_name;
  for (const StageTime& time : times) by_name[time.name] = time.seconds;
  seconds = planned_seconds(stages(silent), by_name, request_.jobs);
  return times;
}

std::vector<ReproductionRow> Reproduction::rows() const {
  return ReproductionTable{application_, experiment_, plan_, *task_, seconds_, left_out_text()}.rows();
}

std::string Reproduction::left_out_text() const {
  std::vector<std::string> names;
  for (const auto& [origin, defect] : defects_)
    if (!defect.empty()) names.push_back(plan_.origins()[origin].name);
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
  json.end().member("files", plan_.files());
  return json.end().text() + "\n";
}

}  // namespace mixop
