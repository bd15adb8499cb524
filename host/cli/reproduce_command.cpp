#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "host/cli/all_commands.hpp"
#include "host/cli/interrupt.hpp"
#include "host/cli/run_options.hpp"
#include "host/json/json_writer.hpp"
#include "host/session/reproduction.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMostJobs = 256;
constexpr char kDays[] = "days";
constexpr double kSecondsOfDay = 86400;

CommandSyntax reproduce_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop reproduce EXPERIMENT [--scale smoke|short|paper] [--jobs N] [--data DIR] [--out DIR]";
  syntax.about =
      "Runs a published protocol end to end: searches, short trainings that select, trainings, evaluations, a report;\n"
      "and prints what the paper has beside what came of it here. mixop list experiments has them with their protocols.\n"
      "Nothing is selected by the test split. All stages have archives of their own in DIR; the same command goes on with\n"
      "what was interrupted or killed. Scales: smoke takes drawn records and shows the parts at work in a minute; short\n"
      "takes an hour or less of two cores and shows the order of things, not the paper's figures; paper is the protocol.";
  syntax.options.add_options()("scale", po::value<std::string>()->value_name("S")->default_value("short"),
                               "smoke, short or paper")(
      "jobs", po::value<std::int64_t>()->value_name("N")->default_value(1), "stages at once, which share the cores")(
      "data", po::value<std::string>()->value_name("DIR"), "where the data lies; default: the environment's MIXOP_DATA")(
      "out", po::value<std::string>()->value_name("DIR"), "the folder to write; default: EXPERIMENT-SCALE")(
      "dry-run", "runs a few steps of each kind, and prints how long the stages would take here")(
      "overwrite", "begins anew where DIR holds a reproduction")("json", "prints DIR/reproduction.json");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

ReproductionRequest request_of(const po::variables_map& values) {
  const Arguments given = positionals(values);
  if (given.empty())
    throw Error(ErrorCode::usage, "an experiment is missing; mixop list experiments has them\nUsage: " + reproduce_syntax().usage);
  ReproductionRequest request;
  request.experiment = given.front();
  request.scale = scale_of(text(values, "scale"));
  request.out = output_path(text(values, "out", request.experiment + "-" + scale_name(request.scale)));
  request.overwrite = values.count("overwrite") != 0;
  if (values.count("data") != 0) request.data = output_path(text(values, "data")).string();
  const std::int64_t jobs = values["jobs"].as<std::int64_t>();
  if (jobs < 1 || jobs > kMostJobs)
    throw Error(ErrorCode::usage, "--jobs: expected 1 to " + std::to_string(kMostJobs) + ", found " + std::to_string(jobs));
  request.jobs = static_cast<std::size_t>(jobs);
  request.plugin_arguments = plugin_arguments(values);
  return request;
}

void print_scaled(const Experiment& experiment) {
  for (const std::string& line : experiment.scaled) std::cout << "scaled, " << line << "\n";
}

int digits_of(double value) { return std::abs(value) < 1 ? 4 : 2; }

std::string time_text(double seconds) {
  const auto minutes = static_cast<std::int64_t>(std::round(seconds / 60));
  if (seconds < 100) return fixed_text(seconds, 1) + " s";
  return minutes < 100 ? std::to_string(minutes) + " min" : fixed_text(seconds / 3600, 1) + " h";
}

std::string figure_text(std::optional<double> value, std::optional<double> deviation, const std::string& unit) {
  if (!value) return "-";
  if (unit == kDays) return time_text(*value * kSecondsOfDay) + (deviation.value_or(0) > 0 ? " +- " + time_text(*deviation * kSecondsOfDay) : "");
  const int digits = digits_of(*value);
  return fixed_text(*value, digits) + (deviation.value_or(0) > 0 ? " +- " + fixed_text(*deviation, digits) : "") +
         (unit.empty() ? "" : " " + unit);
}

std::string paper_text(const PaperFigure& figure) {
  return shortest(figure.value) + (figure.deviation ? " +- " + shortest(*figure.deviation) : "") +
         (figure.unit.empty() ? "" : " " + figure.unit);
}

void print_table(const Reproduction& reproduction) {
  const Experiment& experiment = reproduction.experiment();
  std::cout << experiment.name << ", " << scale_name(experiment.scale) << " scale: " << experiment.summary << "\n";
  std::vector<std::vector<std::string>> table{{"", "paper", "here", "runs", "epochs", "time"}};
  std::vector<std::string> notes;
  for (const ReproductionRow& row : reproduction.rows()) {
    auto note = std::find(notes.begin(), notes.end(), row.note);
    if (!row.note.empty() && note == notes.end()) note = notes.insert(notes.end(), row.note);
    const std::string mark = row.note.empty() ? "" : " (" + std::to_string(note - notes.begin() + 1) + ")";
    table.push_back({row.what + mark,
                     row.paper ? paper_text(*row.paper) : "-",
                     figure_text(row.ours, row.deviation, row.unit), std::to_string(row.runs),
                     std::to_string(row.epochs), time_text(row.cost_s)});
  }
  std::cout << table_text(table, {Align::left, Align::right});
  for (std::size_t i = 0; i < notes.size(); ++i) std::cout << "(" << i + 1 << ") " << notes[i] << "\n";
  std::cout << "paper: " << experiment.source << "\nprotocol: " << experiment.protocol << "\n";
  print_scaled(experiment);
  std::cout << printable(reproduction.report().string()) << std::endl;
}

/// The stages of a kind, which take as long as each other, in one line.
void print_forecast(const Reproduction& reproduction, const std::vector<StageTime>& times, double seconds, std::size_t jobs) {
  std::vector<std::pair<std::string, std::vector<double>>> kinds;
  for (const StageTime& time : times) {
    const std::string kind = time.name.substr(0, time.name.find('-'));
    auto found = std::find_if(kinds.begin(), kinds.end(), [&](const auto& known) { return known.first == kind; });
    if (found == kinds.end()) found = kinds.insert(kinds.end(), {kind, {}});
    found->second.push_back(time.seconds);
  }
  std::vector<std::vector<std::string>> table{{"stage", "runs", "each", "together"}};
  for (const auto& [kind, all] : kinds) {
    const double sum = std::accumulate(all.begin(), all.end(), 0.0);
    table.push_back({kind, std::to_string(all.size()), time_text(sum / static_cast<double>(all.size())), time_text(sum)});
  }
  const Experiment& experiment = reproduction.experiment();
  std::cout << experiment.name << ", " << scale_name(experiment.scale) << " scale: about " << time_text(seconds)
            << " on this machine" << (jobs > 1 ? ", " + std::to_string(jobs) + " stages at once" : "") << "\n"
            << table_text(table, {Align::left, Align::right}) << "protocol: " << experiment.protocol << "\n";
  print_scaled(experiment);
}

void print_forecast_json(const Reproduction& reproduction, const std::vector<StageTime>& times, double seconds) {
  JsonWriter json;
  json.begin_object().member("experiment", reproduction.experiment().name);
  json.member("scale", scale_name(reproduction.experiment().scale)).member("seconds", seconds).key("stages").begin_object();
  for (const StageTime& time : times) json.member(time.name, time.seconds);
  std::cout << json.end().end().text() << std::endl;
}

}  // namespace

int reproduce_command(const Arguments& arguments) {
  const auto values = parse(reproduce_syntax(), arguments);
  if (!values) return 0;
  const ReproductionRequest request = request_of(*values);
  const Application application = open_application(*values);
  Reproduction reproduction(request, application);
  if (values->count("dry-run") != 0) {
    double seconds = 0;
    const std::vector<StageTime> times = reproduction.forecast(seconds);
    values->count("json") != 0 ? print_forecast_json(reproduction, times, seconds)
                               : print_forecast(reproduction, times, seconds, request.jobs);
    require_output();
    return 0;
  }
  TerminalObserver observer;
  const InterruptGuard interrupt;
  if (!reproduction.run(observer, interrupt.received())) {
    say("interrupted; the same command goes on");
    return 128 + interrupt.received();
  }
  if (values->count("json") != 0)
    std::cout << reproduction.result_json() << std::flush;
  else
    print_table(reproduction);
  require_output();
  return 0;
}

}  // namespace mixop::cli
