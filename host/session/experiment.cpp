#include "host/session/experiment.hpp"

#include <algorithm>
#include <map>

#include "host/files/named_files.hpp"
#include "host/json/fields.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;
using Kind = JsonValue::Kind;

constexpr std::pair<Scale, const char*> kScales[] = {
    {Scale::smoke, "smoke"}, {Scale::brief, "short"}, {Scale::paper, "paper"}};
constexpr const char* kStages[] = {"search", "sample", "select", "train"};

std::map<std::string, fs::path> experiment_files(const std::vector<fs::path>& folders) {
  return named_files(folders, "the folder of experiments");
}

/// Adds to a stage what an object says of it: keys behind those that are there, seeds and preset in their place.
void read_runs(const Fields& fields, StageRuns& runs) {
  if (fields.has("preset")) runs.preset = fields.text("preset");
  if (fields.has("set"))
    for (const std::string& assignment : fields.texts("set")) runs.sets.push_back(assignment);
  if (!fields.has("seeds")) return;
  runs.seeds.clear();
  for (const JsonValue& seed : fields.list("seeds")) {
    if (!seed.is(Kind::integer) || seed.integer < 0)
      fields.refuse(seed, "seeds: expected whole numbers from 0 on, found " + seed.describe());
    if (std::find(runs.seeds.begin(), runs.seeds.end(), seed.integer) != runs.seeds.end())
      fields.refuse(seed, "seeds: expected each once, found " + seed.describe() + " twice");
    runs.seeds.push_back(seed.integer);
  }
}

/// The runs of a stage in an object of stages.
Fields runs_in(const Fields& stages, const char* name) {
  return Fields(stages.at(name), stages.file(), {"preset", "set", "seeds"}, name);
}

/// "search: space.channels=4, 2 instead of 4 runs": what is behind the keys that all stages have.
std::string difference(const std::string& stage, const StageRuns& published, std::size_t common, const StageRuns& own) {
  const auto first = static_cast<std::ptrdiff_t>(published.sets.size() + common);
  std::vector<std::string> items(own.sets.begin() + first, own.sets.end());
  if (own.preset != published.preset) items.insert(items.begin(), "preset " + own.preset);
  if (own.seeds.size() != published.seeds.size())
    items.push_back(std::to_string(own.seeds.size()) + " instead of " + std::to_string(published.seeds.size()) + " runs");
  return items.empty() ? "" : stage + ": " + joined(items);
}

void read_scale(const Fields& scale, const std::map<std::string, StageRuns*>& stages, Experiment& experiment) {
  const std::vector<std::string> common = scale.has("all") ? scale.texts("all") : std::vector<std::string>();
  if (!common.empty()) experiment.scaled.push_back("every stage: " + joined(common));
  for (const char* name : kStages) {
    const auto found = stages.find(name);
    if (found == stages.end() && scale.has(name))
      scale.refuse(scale.at(name), std::string(name) + ": the experiment has no such stage");
    if (found == stages.end()) continue;
    StageRuns& runs = *found->second;
    const StageRuns published = runs;
    runs.sets.insert(runs.sets.end(), common.begin(), common.end());
    if (scale.has(name)) read_runs(runs_in(scale, name), runs);
    if (const std::string text = difference(name, published, common.size(), runs); !text.empty())
      experiment.scaled.push_back(text);
  }
}

PaperFigure read_figure(const JsonValue& value, const std::string& file) {
  const Fields fields(value, file, {"what", "value", "deviation", "unit", "where"}, "paper");
  (void)fields.at("value");
  return {fields.text("what"), *fields.optional_number("value"), fields.optional_text("unit"), fields.text("where"),
          fields.optional_number("deviation")};
}

/// Reads the stages of the protocol itself, and says where each is.
std::map<std::string, StageRuns*> read_stages(const Fields& root, Experiment& experiment) {
  const Fields stages(root.at("stages"), root.file(), {"search", "sample", "select", "train"}, "stages");
  std::map<std::string, StageRuns*> runs;
  for (const char* name : kStages) {
    if (!stages.has(name)) continue;
    const std::string of = name;
    StageRuns& own = of == "search"   ? experiment.search.emplace()
                     : of == "sample" ? experiment.sample.emplace()
                     : of == "select" ? experiment.select.emplace()
                                      : experiment.train;
    const Fields fields = runs_in(stages, name);
    (void)fields.at("preset");
    read_runs(fields, own);
    runs[name] = &own;
  }
  const int origins = (experiment.search ? 1 : 0) + (experiment.sample ? 1 : 0) + (experiment.genotype.empty() ? 0 : 1);
  if (runs.count("train") == 0 || origins != 1)
    root.refuse(stages.object(), "stages: expected \"train\", and one of \"search\", \"sample\" and the experiment's \"genotype\"");
  if (experiment.select && (!experiment.genotype.empty() || experiment.select->seeds.size() != 1))
    root.refuse(stages.at("select"), "select: expected one seed, of trainings of what is searched or sampled");
  return runs;
}

Experiment read(const fs::path& file, Scale scale) {
  const std::string place = file.string();
  const JsonValue content = parse_json_file(file, ErrorCode::usage);
  const Fields root(content, place,
                    {"summary", "source", "protocol", "stages", "genotype", "short", "smoke", "paper"});
  Experiment experiment;
  experiment.name = file.stem().string();
  experiment.scale = scale;
  experiment.summary = root.text("summary");
  experiment.source = root.text("source");
  experiment.protocol = root.text("protocol");
  experiment.genotype = root.optional_text("genotype");
  const std::map<std::string, StageRuns*> stages = read_stages(root, experiment);
  if (root.has("paper"))
    for (const JsonValue& figure : root.list("paper")) experiment.paper.push_back(read_figure(figure, place));
  if (scale != Scale::paper)
    read_scale(Fields(root.at(scale_name(scale)), place, {"all", "search", "sample", "select", "train"}, scale_name(scale)),
               stages, experiment);
  return experiment;
}

}  // namespace

const char* scale_name(Scale scale) {
  for (const auto& [own, name] : kScales)
    if (own == scale) return name;
  return "";
}

Scale scale_of(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [scale, own] : kScales) {
    if (name == own) return scale;
    known.emplace_back(own);
  }
  throw Error(ErrorCode::usage, "--scale: expected " + joined(known) + ", found '" + excerpt(name) + "'" + did_you_mean(name, known));
}

std::vector<ExperimentInfo> list_experiments(const std::vector<fs::path>& folders) {
  std::vector<ExperimentInfo> experiments;
  for (const auto& [name, file] : experiment_files(folders)) {
    try {
      const Experiment experiment = read(file, Scale::paper);
      experiments.push_back({name, experiment.summary, experiment.source, experiment.protocol});
    } catch (const Error& error) {
      experiments.push_back({name, "cannot be used: " + std::string(error.what()), "", ""});
    }
  }
  return experiments;
}

Experiment read_experiment(const std::string& name, Scale scale, const std::vector<fs::path>& folders) {
  const auto files = experiment_files(folders);
  if (const auto found = files.find(name); found != files.end()) return read(found->second, scale);
  std::vector<std::string> names;
  for (const auto& [known, file] : files) names.push_back(known);
  throw Error(ErrorCode::usage, "unknown experiment '" + excerpt(name) + "'" + did_you_mean(name, names) + " (known: " +
                                    joined(names) + ")");
}

}  // namespace mixop
