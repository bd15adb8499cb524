#include "host/session/experiment.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>

#include "host/files/named_files.hpp"
#include "host/json/json.hpp"
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

/// Reads the values of one file, whose place is in every error.
class Reader {
 public:
  explicit Reader(const fs::path& file) : file_(file.string()), root_(parse_json_file(file, ErrorCode::usage)) {
    expect(root_, Kind::object, "the experiment", "an object");
  }

  const JsonValue& root() const { return root_; }

  /// The member of an object; null where there is none.
  const JsonValue* find(const JsonValue& object, const char* key, Kind kind, const char* expected) const {
    const JsonValue* const value = object.find(key);
    if (value != nullptr) expect(*value, kind, key, expected);
    return value;
  }
  std::string text(const JsonValue& object, const char* key) const {
    const JsonValue* const value = find(object, key, Kind::text, "text");
    return value == nullptr ? "" : value->text;
  }
  std::optional<double> number(const JsonValue& object, const char* key) const {
    const JsonValue* const value = object.find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) refuse(*value, key, "a number");
    return value->number;
  }
  std::vector<std::string> texts(const JsonValue& list) const {
    std::vector<std::string> texts;
    for (const JsonValue& item : list.items) {
      expect(item, Kind::text, "an item", "text, as in \"space.channels=4\"");
      texts.push_back(item.text);
    }
    return texts;
  }
  void expect_keys(const JsonValue& object, const std::vector<std::string>& known) const {
    for (const JsonMember& member : object.members)
      if (std::find(known.begin(), known.end(), member.key) == known.end())
        throw Error(ErrorCode::usage, json_place(file_, member) + ": unknown key '" + excerpt(member.key) + "'" +
                                          did_you_mean(member.key, known) + "; expected one of " + joined(known));
  }
  [[noreturn]] void refuse(const JsonValue& value, const std::string& what, const std::string& expected) const {
    throw Error(ErrorCode::usage,
                json_place(file_, value) + ": " + what + ": expected " + expected + ", found " + value.describe());
  }

 private:
  void expect(const JsonValue& value, Kind kind, const std::string& what, const char* expected) const {
    if (!value.is(kind)) refuse(value, what, expected);
  }

  std::string file_;
  JsonValue root_;
};

/// Adds to a stage what an object says of it: keys behind those that are there, seeds and preset in their place.
void read_runs(const Reader& reader, const JsonValue& object, StageRuns& runs) {
  reader.expect_keys(object, {"preset", "set", "seeds"});
  if (const std::string preset = reader.text(object, "preset"); !preset.empty()) runs.preset = preset;
  if (const JsonValue* sets = reader.find(object, "set", Kind::list, "a list of \"key=value\""))
    for (const std::string& assignment : reader.texts(*sets)) runs.sets.push_back(assignment);
  const JsonValue* const seeds = reader.find(object, "seeds", Kind::list, "a list of whole numbers");
  if (seeds == nullptr) return;
  runs.seeds.clear();
  for (const JsonValue& seed : seeds->items) {
    if (!seed.is(Kind::integer) || seed.integer < 0) reader.refuse(seed, "a seed", "a whole number from 0 on");
    if (std::find(runs.seeds.begin(), runs.seeds.end(), seed.integer) != runs.seeds.end())
      reader.refuse(seed, "a seed", "another one than those before it");
    runs.seeds.push_back(seed.integer);
  }
  if (runs.seeds.empty()) reader.refuse(*seeds, "seeds", "at least one");
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

void read_scale(const Reader& reader, const JsonValue& scale, const std::map<std::string, StageRuns*>& stages,
                Experiment& experiment) {
  reader.expect_keys(scale, {"all", "search", "sample", "select", "train"});
  std::vector<std::string> common;
  if (const JsonValue* all = reader.find(scale, "all", Kind::list, "a list of \"key=value\"")) common = reader.texts(*all);
  if (!common.empty()) experiment.scaled.push_back("every stage: " + joined(common));
  for (const char* name : kStages) {
    const auto found = stages.find(name);
    if (found == stages.end()) continue;
    StageRuns& runs = *found->second;
    const StageRuns published = runs;
    runs.sets.insert(runs.sets.end(), common.begin(), common.end());
    if (const JsonValue* own = reader.find(scale, name, Kind::object, "an object")) read_runs(reader, *own, runs);
    if (const std::string text = difference(name, published, common.size(), runs); !text.empty()) experiment.scaled.push_back(text);
  }
}

std::vector<PaperFigure> read_paper(const Reader& reader, const JsonValue& list) {
  std::vector<PaperFigure> figures;
  for (const JsonValue& item : list.items) {
    if (!item.is(Kind::object)) reader.refuse(item, "a figure of the paper", "an object");
    reader.expect_keys(item, {"what", "value", "deviation", "unit", "where"});
    const std::optional<double> value = reader.number(item, "value");
    if (!value) reader.refuse(item, "a figure of the paper", "a \"value\"");
    figures.push_back({reader.text(item, "what"), *value, reader.text(item, "unit"), reader.text(item, "where"),
                       reader.number(item, "deviation")});
  }
  return figures;
}

Experiment read(const fs::path& file, Scale scale) {
  const Reader reader(file);
  const JsonValue& root = reader.root();
  reader.expect_keys(root, {"summary", "source", "protocol", "stages", "genotype", "short", "smoke", "paper"});
  Experiment experiment;
  experiment.name = file.stem().string();
  experiment.scale = scale;
  experiment.summary = reader.text(root, "summary");
  experiment.source = reader.text(root, "source");
  experiment.protocol = reader.text(root, "protocol");
  experiment.genotype = reader.text(root, "genotype");
  const JsonValue* const stages = reader.find(root, "stages", Kind::object, "an object");
  if (stages == nullptr) reader.refuse(root, "the experiment", "\"stages\"");
  reader.expect_keys(*stages, {std::begin(kStages), std::end(kStages)});
  std::map<std::string, StageRuns*> runs;
  for (const char* name : kStages) {
    const JsonValue* const stage = reader.find(*stages, name, Kind::object, "an object");
    if (stage == nullptr) continue;
    const std::string of = name;
    StageRuns& own = of == "search"   ? experiment.search.emplace()
                     : of == "sample" ? experiment.sample.emplace()
                     : of == "select" ? experiment.select.emplace()
                                      : experiment.train;
    read_runs(reader, *stage, own);
    if (own.preset.empty()) reader.refuse(*stage, name, "a \"preset\"");
    runs[name] = &own;
  }
  const int origins = (experiment.search ? 1 : 0) + (experiment.sample ? 1 : 0) + (experiment.genotype.empty() ? 0 : 1);
  if (runs.count("train") == 0 || origins != 1)
    reader.refuse(*stages, "stages", "\"train\", and one of \"search\", \"sample\" and the experiment's \"genotype\"");
  if (experiment.select && (!experiment.genotype.empty() || experiment.select->seeds.size() != 1))
    reader.refuse(*stages, "select", "one seed, of trainings of what is searched or sampled");
  if (const JsonValue* paper = reader.find(root, "paper", Kind::list, "a list")) experiment.paper = read_paper(reader, *paper);
  if (scale != Scale::paper)
    if (const JsonValue* own = reader.find(root, scale_name(scale), Kind::object, "an object"))
      read_scale(reader, *own, runs, experiment);
    else
      reader.refuse(root, "the experiment", std::string("a scale \"") + scale_name(scale) + "\"");
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
