#pragma once

#include "host/cli/command_line.hpp"
#include "host/cli/progress.hpp"
#include "host/session/observer.hpp"
#include "host/session/request.hpp"
#include "host/session/run_setup.hpp"

namespace mixop::cli {

/// The options of a command that runs a loop over epochs into an archive, `archive` ("RUN.h5") for --help: --set,
/// --seed, --data, --out (default: `out`), --weights, --resume, --overwrite, --dry-run, --keys, --json, and those of metrics and
/// plugins. Further ones may be added before.
void add_run_options(CommandSyntax& syntax, const std::string& archive, const std::string& out);

/// What `words` without a dash, --set and the short forms say of the configuration.
void read_config(const po::variables_map& values, const Arguments& words, RunRequest& request);

/// What all those options say, beside --dry-run, --keys and --json; read before plugins are loaded, for output_path().
void read_run(const po::variables_map& values, const Arguments& arguments, const std::string& out, RunRequest& request);

/// Prints the keys where --keys asks for them.
bool print_keys(const po::variables_map& values, const OptionCatalog& catalog, RunKind kind);

/// Prints what --dry-run asks for.
void print_forecast(const RunForecast& forecast);

/// Says on stderr what predict_peak_memory() returned and what is not in it: `left_out`, which ends with a comma, and
/// more.
void say_memory(std::int64_t bytes, const std::string& left_out = "");

/// "mixop search ARGUMENTS".
std::string command_line(const std::string& command, const Arguments& arguments);

/// Says how a run ended: where its archive is, or how it goes on.
void say_end(RunKind kind, RunEnd end, const std::filesystem::path& out);

/// Reports on stderr how sessions go on.
class TerminalObserver final : public SessionObserver {
 public:
  TerminalObserver();
  void on_line(const std::string& line) override;
  void on_step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss, const Metrics& means,
               const Task& task) override;
  void on_epoch(const SearchPosition& at, const Metrics& metrics, const Task& task) override;

 private:
  Progress progress_;
};

}  // namespace mixop::cli
