#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mixop {

/// How much of a published protocol is run: "smoke" on drawn records, in a minute; "short" on the real data, within an
/// hour of two cores; "paper" as it was published.
enum class Scale { smoke, brief, paper };

/// The scale of that name; throws a usage error that lists them.
Scale scale_of(const std::string& name);
const char* scale_name(Scale scale);

/// Runs of one kind: a preset, keys over it, and a run a seed.
struct StageRuns {
  std::string preset;
  std::vector<std::string> sets = {};  ///< "key=value", in order
  std::vector<std::int64_t> seeds = {0};
};

/// A figure of the paper.
struct PaperFigure {
  std::string what;   ///< the row of the table that it belongs to: "test error"
  double value = 0;   ///< in `unit`
  std::string unit;   ///< "%", "M" (10^6), "GPU days"; empty for perplexities
  std::string where;  ///< "table 1"
  std::optional<double> deviation = {};  ///< standard deviation
};

/// A published protocol, at one scale.
struct Experiment {
  std::string name, summary, source;
  std::string protocol;  ///< what was published, and in what the runs here differ from it whatever their scale
  std::vector<std::string> scaled;  ///< in what this scale differs from the protocol, stage by stage
  Scale scale = Scale::paper;

  // Where the genotypes to train come from: searches, random draws, or one that was published.
  std::optional<StageRuns> search, sample;
  std::string genotype;
  std::optional<StageRuns> select;  ///< short trainings of each, of which the best on held-out records is trained; none: all are
  StageRuns train;
  std::vector<PaperFigure> paper;
};

struct ExperimentInfo {
  std::string name, summary, source, protocol;
};

/// Experiments are files NAME.json; docs/command-line.md says what is in them. The first folder that has one counts.
std::vector<ExperimentInfo> list_experiments(const std::vector<std::filesystem::path>& folders);
/// Throws a usage error that names the nearest one for a name that is not there, and for a file with a defect.
Experiment read_experiment(const std::string& name, Scale scale, const std::vector<std::filesystem::path>& folders);

}  // namespace mixop
