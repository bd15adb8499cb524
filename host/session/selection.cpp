#include "host/session/selection.hpp"

#include <algorithm>

#include "host/archive/file.hpp"
#include "host/files/output.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/loop/device.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_parts.hpp"
#include "host/session/search_session.hpp"
#include "host/session/train_session.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr char kResult[] = "selection.json", kWinner[] = "winner.json";
constexpr char kLayout[] = "mixop.selection/1";
constexpr char kSearch[] = "search.h5", kTrain[] = "train.h5";

/// The data of the searches, as keys of the trainings, and where these begin.
std::vector<std::string> training_keys(const Config& search, const Task& task) {
  std::vector<std::string> sets = {"space.name=" + search.space.name, "data.name=" + search.data.name,
                                   "data.train_limit=" + std::to_string(search.data.train_limit), "train.epochs=100"};
  for (const std::string& assignment : task.selection_keys(search)) sets.push_back(assignment);
  if (const auto own = search.options.find(search.data.name); own != search.options.end())
    for (const auto& [name, option] : own->second) sets.push_back(search.data.name + "." + name + "=" + option.text);
  return sets;
}

bool names_folder(const std::string& assignment) { return assignment.rfind("data.dir", 0) == 0; }

std::string run_text(const RunRequest& request) {
  std::string text = run_kind_name(request.kind);
  if (!request.preset_or_file.empty()) text += " " + request.preset_or_file;
  for (const std::string& assignment : request.sets) text += " " + assignment;
  return text;
}

/// The request of one run into `archive`, which it goes on with where it is there.
template <class Request>
Request run_of(Request request, const fs::path& archive) {
  request.out = archive;
  request.start = fs::exists(archive) ? Start::resume : Start::fresh;
  return request;
}

std::string seed_folder(std::int64_t seed) { return "seed-" + std::to_string(seed); }

SeedCandidate candidate_of(std::int64_t seed, const fs::path& out) {
  const fs::path folder = out / seed_folder(seed);
  return {seed, folder / kSearch, folder / kTrain};
}

void write_curves(JsonWriter& json, const char* name, const Curves& curves) {
  json.key(name).begin_object();
  for (const auto& [metric, values] : curves) {
    json.key(metric).begin_list();
    for (const double value : values) json.value(value);
    json.end();
  }
  json.end();
}

void write_candidate(JsonWriter& json, const std::string& criterion, const SeedCandidate& candidate) {
  const bool trained = candidate.defect.empty();
  const auto member = [&](const std::string& name, bool there, const auto& content) {
    there ? json.member(name, content()) : json.key(name).null();
  };
  const auto below = [&](const fs::path& archive) {
    return (candidate.search.parent_path().filename() / archive.filename()).string();
  };
  json.begin_object().member("seed", candidate.seed).member("search", below(candidate.search));
  member("train", trained, [&] { return below(candidate.train); });
  member("defect", !trained, [&] { return candidate.defect; });
  for (const std::string& metric : {criterion, std::string("valid_loss")})
    member(metric, trained, [&] { return candidate.figure(metric); });
  json.key("genotype").raw(genotype_to_json(candidate.genotype));
  write_curves(json, "search_curves", candidate.search_curves);
  write_curves(json, "train_curves", candidate.train_curves);
  json.end();
}

/// The folders of the selection that is there, links aside.
std::vector<fs::path> seed_folders(const OutputFolder& out) {
  std::vector<fs::path> folders;
  if (!out.has_result()) return folders;
  const JsonValue selection = out.read();
  const JsonValue* const seeds = selection.find("seeds");
  if (seeds == nullptr)
    throw Error(ErrorCode::usage, out.result().string() + ": expected the \"seeds\" of a selection; name another --out");
  for (const JsonValue& seed : seeds->items)
    if (const fs::path folder = out.folder / seed_folder(seed.integer);
        seed.is(JsonValue::Kind::integer) && fs::is_directory(fs::symlink_status(folder)))
      folders.push_back(folder);
  return folders;
}

/// What could not be written after days of searches is refused before them.
void require_seed_place(const fs::path& folder) {
  if (!fs::exists(fs::symlink_status(folder))) return;
  if (!fs::is_directory(folder))
    throw Error(ErrorCode::usage, folder.string() +
                                      " is no folder, and one of that name is to be written; move it "
                                      "away, or name another --out");
  for (const char* archive : {kSearch, kTrain}) require_writable(folder / archive);
}

/// A seed's folder must be one of those that are cleared, or hold no archives; a link is none of them.
void require_free(const fs::path& folder, const std::vector<fs::path>& cleared) {
  const auto status = fs::symlink_status(folder);
  if (!fs::exists(status) || std::find(cleared.begin(), cleared.end(), folder) != cleared.end()) return;
  if (fs::is_directory(status) && !fs::exists(folder / kSearch) && !fs::exists(folder / kTrain)) return;
  throw Error(ErrorCode::usage,
              folder.string() + " is in the way, and no selection made it; move it away, or name another --out");
}

}  // namespace

OutputFolder Selection::place() const { return {request_.out, kResult, kLayout, "selection"}; }

Selection::Selection(SelectionRequest request, const Application& application)
    : request_(std::move(request)), application_(application) {
  complete_training();
  check_training();
}

void Selection::complete_training() {
  const RunInputs search = inputs_of(request_.search, application_);
  task_ = &task_of(search.data.info().kind);
  const std::vector<std::string> given = request_.train.sets;
  std::vector<std::string>& sets = request_.train.sets;
  sets = training_keys(search.config, *task_);
  sets.insert(sets.end(), given.begin(), given.end());
  request_.train.data = request_.search.data;
  if (const std::string& folder = search.config.data.dir;
      !folder.empty() && std::none_of(given.begin(), given.end(), names_folder))
    request_.train.data = folder;
}

/// The trainings must read their data and hold records out, before days of searches.
void Selection::check_training() const {
  const RunInputs inputs = inputs_of(request_.train, application_);
  const auto records = task_of(inputs.data.info().kind)
                           .open_training_data(inputs.data, inputs.config, at::kFloat, device_of(inputs.config.device));
  (void)records->steps_in(0);
  if (records->count(Records::valid) == 0)
    throw Error(
        ErrorCode::usage,
        "the trainings hold no records of " + inputs.data.name() +
            " out, by which to select; leave data.train_portion of images to 0.5 or below 1, and take text that "
            "has a valid split");
}

/// The same text for the same selection; where the data lies does not matter.
std::string Selection::request_text() const {
  std::vector<std::string> numbers;
  for (const std::int64_t seed : request_.seeds) numbers.push_back(std::to_string(seed));
  return "seeds " + joined(numbers, ",") + "; " + run_text(request_.search) + "; " + run_text(request_.train);
}

/// Refuses a folder that holds something else; makes it where it is not there.
void Selection::take_place() const {
  place().take(request_text(), request_.overwrite);
  require_writable(request_.out / kWinner);
  for (const std::int64_t seed : request_.seeds) require_seed_place(request_.out / seed_folder(seed));
}

/// Begins anew: nothing is left of the seeds of the selection that was here, by its own list of them.
void Selection::clear() const {
  const fs::path& out = request_.out;
  const std::vector<fs::path> folders = seed_folders(place());
  for (const std::int64_t seed : request_.seeds) require_free(out / seed_folder(seed), folders);
  remove_written(out / kWinner);
  for (const fs::path& folder : folders) {
    for (const char* archive : {kSearch, kTrain}) remove_written(folder / archive);
    std::error_code holds_more;
    fs::remove(folder, holds_more);
  }
  replace_text(out / kResult, result_json());
  fs::remove((out / kResult).string() + ".prev");
}

bool Selection::run(SeedCandidate& candidate, SessionObserver& observer, const std::atomic<int>& interrupt) const {
  fs::create_directories(candidate.search.parent_path());
  SearchRequest search = run_of(request_.search, candidate.search);
  search.sets.push_back("seed=" + std::to_string(candidate.seed));
  if (SearchSession(search, application_).run(observer, interrupt) == RunEnd::interrupted) return false;
  candidate.genotype = genotypes(Archive::open(candidate.search)).back();
  candidate.search_curves = curves_of(candidate.search);
  TrainRequest train = run_of(request_.train, candidate.train);
  train.genotype = candidate.search.string();
  if (!train.goes_on()) candidate.defect = network_defect(train, application_);
  if (!candidate.defect.empty()) {
    observer.on_line("seed " + std::to_string(candidate.seed) +
                     " found a network that cannot be built: " + candidate.defect);
    return true;
  }
  if (interrupt.load() != 0) return false;
  if (TrainSession(train, application_).run(observer, interrupt) == RunEnd::interrupted) return false;
  candidate.train_curves = curves_of(candidate.train);
  return true;
}

bool Selection::run(SessionObserver& observer, const std::atomic<int>& interrupt) {
  take_place();
  const ArchiveLock lock(request_.out / kResult);
  if (request_.overwrite || !fs::exists(request_.out / kResult)) clear();
  for (const std::int64_t seed : request_.seeds) {
    observer.on_line("candidate " + std::to_string(done_.size() + 1) + " of " + std::to_string(request_.seeds.size()) +
                     ": seed " + std::to_string(seed));
    SeedCandidate candidate = candidate_of(seed, request_.out);
    if (interrupt.load() != 0 || !run(candidate, observer, interrupt)) return false;
    done_.push_back(std::move(candidate));
    replace_text(request_.out / kResult, result_json());
  }
  if (best() == nullptr) fail_without_network(done_.front().defect);
  replace_text(winner_file(), genotype_to_json(best()->genotype) + "\n");
  return true;
}

const SeedCandidate* Selection::best() const { return best_of(done_, *task_); }

std::filesystem::path Selection::winner_file() const { return request_.out / kWinner; }

std::string Selection::result_json() const {
  JsonWriter json;
  json.begin_object().member("layout", kLayout).member("request", request_text()).key("seeds").begin_list();
  for (const std::int64_t seed : request_.seeds) json.value(seed);
  json.end().key("winner");
  const SeedCandidate* const winner = done_.size() == request_.seeds.size() ? best() : nullptr;
  if (winner != nullptr) {
    json.begin_object().member("seed", winner->seed).member(criterion(), winner->figure(criterion()));
    json.key("genotype").raw(genotype_to_json(winner->genotype)).end();
  } else {
    json.null();
  }
  json.key("candidates").begin_list();
  for (const SeedCandidate& candidate : done_) write_candidate(json, criterion(), candidate);
  return json.end().end().text() + "\n";
}

}  // namespace mixop
