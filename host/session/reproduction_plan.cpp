#include "host/session/reproduction_plan.hpp"

#include "host/json/json.hpp"

namespace mixop {

namespace fs = std::filesystem;

ReproductionPlan::ReproductionPlan(const Experiment& experiment, fs::path out)
    : out_(std::move(out)), searched_(experiment.search.has_value()), selected_(experiment.select.has_value()) {
  const std::optional<StageRuns>& first = searched_ ? experiment.search : experiment.sample;
  if (first)
    for (const std::int64_t seed : first->seeds) {
      const std::string name = (searched_ ? "search-" : "sample-") + std::to_string(seed);
      origins_.push_back({seed, name, searched_ ? archive(name) : scores(name)});
    }
  const std::vector<std::int64_t>& seeds = experiment.train.seeds;
  const auto add = [&](const std::string& name, std::optional<std::size_t> origin) {
    for (const std::int64_t seed : seeds)
      trained_.push_back({name + (origin && seeds.size() == 1 ? "" : "-" + std::to_string(seed)), origin, seed});
  };
  if (!first || selected_) add("train", {});
  for (std::size_t i = 0; i < origins_.size() && !selected_; ++i) add("train-" + std::to_string(origins_[i].seed), i);
}

bool ReproductionPlan::has_scores(const TrainedNetwork& trained) const {
  const fs::path file = scores(trained.evaluation()), net = archive(trained.name);
  if (!fs::exists(file) || !fs::exists(net) || fs::last_write_time(file) < fs::last_write_time(net)) return false;
  try {
    (void)parse_json_file(file, ErrorCode::bad_data);
    return true;
  } catch (const Error&) {  // which a power cut has left
    return false;
  }
}

std::vector<fs::path> ReproductionPlan::archives() const {
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& file) {
    if (fs::exists(file)) files.push_back(file);
  };
  if (searched_)
    for (const GenotypeOrigin& origin : origins_) add(origin.file);
  for (const TrainedNetwork& trained : trained_) add(archive(trained.name));
  return files;
}

std::vector<std::string> ReproductionPlan::files() const {
  std::vector<std::string> names{report().filename(), "report.log"};
  const auto add = [&](const std::string& stage, const fs::path& file) {
    names.insert(names.end(), {file.filename(), stage + ".log"});
  };
  for (const GenotypeOrigin& origin : origins_) {
    add(origin.name, origin.file);
    if (selected_) add(origin.selection(), archive(origin.selection()));
  }
  for (const TrainedNetwork& trained : trained_) {
    add(trained.name, archive(trained.name));
    add(trained.evaluation(), scores(trained.evaluation()));
  }
  return names;
}

}  // namespace mixop
