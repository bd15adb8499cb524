#include "host/session/train_session.hpp"

#include <cstdio>
#include <iostream>
#include <optional>

#include "host/cli/all_commands.hpp"
#include "host/cli/run_command.hpp"
#include "host/cli/run_options.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/plain_text.hpp"

namespace mixop::cli {
namespace {

constexpr char kArchive[] = "net.h5";

CommandSyntax train_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop train --genotype NAME|FILE|ARCHIVE.h5 [PRESET|config.json] [--set key=value ...] [--data DIR] "
      "[--out NET.h5]\n"
      "       mixop train --resume|--continue --out NET.h5 [--set train.epochs=N ...] [--data DIR]";
  syntax.about =
      "Trains the network of a genotype from scratch and archives it after every epoch. The configuration is defaults "
      "< preset\n"
      "< file < --set; the defaults are those of the preset darts-cifar10-train. After every epoch images are measured "
      "on the test\n"
      "split and on the records that data.train_portion holds out, text on its valid split. The archive holds the last "
      "epoch, or\n"
      "with train.keep=best that of the least loss on the held-out records; nothing is selected by the test split.";
  syntax.options.add_options()("genotype", po::value<std::string>()->value_name("G"),
                               "a name, a JSON file, or the archive of a search or a network");
  syntax.options.add_options()(
      "continue",
      "goes on with a finished NET.h5 for more epochs: --set train.epochs=N, and weights.* where they change");
  add_run_options(syntax, "NET.h5", kArchive);
  return syntax;
}

/// An epoch's values of the metrics whose names begin with `prefix`.
void write_metrics(JsonWriter& json, const LoopRecord& record, std::int64_t epoch, const std::string& prefix) {
  for (const auto& [name, values] : record.metrics)
    if (name.rfind(prefix, 0) == 0) json.member(name, values.at(static_cast<std::size_t>(epoch - 1)));
}

void write_best(JsonWriter& json, const LoopRecord& record, const char* name, std::optional<std::int64_t> epoch) {
  json.key(name);
  if (!epoch) {
    json.null();
    return;
  }
  json.begin_object().member("epoch", *epoch);
  for (const char* prefix : {"test_", "valid_"}) write_metrics(json, record, *epoch, prefix);
  json.end();
}

/// "valid top-1: 43.10 %, test top-1: 41.20 %, test top-5: 90.10 %", of what was measured: of the held-out records the
/// figure that selects, of the test split all.
std::string epoch_text(const Training& training, std::int64_t epoch) {
  const auto& figures = training.task().record_figures();
  std::string line;
  for (const std::string which : {"valid_", "test_"})
    for (const RecordFigure& figure : figures) {
      const auto found = training.record().metrics.find(which + figure.name);
      if (found == training.record().metrics.end() || (which == "valid_" && &figure != &figures.front())) continue;
      const double value = found->second.at(static_cast<std::size_t>(epoch - 1));
      line += (line.empty() ? "" : ", ") + figure_text(found->first, value);
    }
  return line;
}

/// The epoch whose network the archive holds.
std::int64_t kept_epoch(const Training& training) {
  return training.own().best ? training.own().best->epoch : training.position().at.epoch;
}

/// The best epoch by the held-out records: the kept one, or that of the best accuracy.
std::optional<std::int64_t> best_held_out(const Training& training) {
  if (training.own().best) return training.own().best->epoch;
  return best_epoch(training.record(), training.task().best_epoch_metric());
}

void print_result(const Training& training) {
  const LoopRecord& record = training.record();
  const std::int64_t epoch = training.position().at.epoch, kept = kept_epoch(training);
  if (const std::string last = epoch_text(training, epoch); !last.empty())
    std::cout << "last epoch " << epoch << (kept == epoch ? ", which the archive holds: " : ": ") << last << "\n";
  if (kept != epoch)
    std::cout << "best epoch by the held-out records " << kept
              << ", which the archive holds: " << epoch_text(training, kept) << "\n";
  else if (const auto best = best_held_out(training))
    std::cout << "best epoch by the held-out records " << *best << ": " << epoch_text(training, *best) << "\n";
  if (const auto best = best_epoch(record, "test_top1"))
    std::cout << "best epoch by the test split " << *best << ": " << epoch_text(training, *best)
              << " (found by looking at the test split, so it is not a selection and no result to report)\n";
}

void report(const Training& training, RunEnd end, const std::filesystem::path& out, bool json) {
  const LoopRecord& record = training.record();
  const SearchPosition& at = training.position().at;
  if (json) {
    JsonWriter writer;
    writer.begin_object().member("archive", out.string()).member("epoch", at.epoch).member("step", at.step);
    writer.member("interrupted", end == RunEnd::interrupted).member("kept_epoch", kept_epoch(training));
    if (at.epoch > 0) write_metrics(writer, record, at.epoch, "");
    write_best(writer, record, "best_epoch_by_held_out_records", best_held_out(training));
    write_best(writer, record, "best_epoch_by_test_split_not_a_selection", best_epoch(record, "test_top1"));
    writer.key("genotype").raw(genotype_to_json(training.genotype())).end();
    std::cout << writer.text() << std::endl;
  } else if (end != RunEnd::interrupted) {
    print_result(training);
  }
  say_end(RunKind::train, end, out);
}

}  // namespace

int train_command(const Arguments& arguments) {
  const auto values = parse(train_syntax(), arguments);
  if (!values) return 0;
  TrainRequest request;
  read_run(*values, arguments, kArchive, request);
  const Application application = open_application(*values);
  if (print_keys(*values, application.catalog, RunKind::train)) return 0;
  request.genotype = text(*values, "genotype");
  if (is_pipe(request.genotype)) request.genotype = read_plain_text(request.genotype, ErrorCode::usage);
  if (request.genotype.empty() && !request.goes_on())
    throw Error(ErrorCode::usage,
                "--genotype is missing: a name such as DARTS_V2, a JSON file, or the archive of a "
                "search\nUsage: " +
                    train_syntax().usage);
  return run_or_forecast<TrainSession>(*values, request, application, [&](TrainSession& session, RunEnd end) {
    report(session.training(), end, text(*values, "out", kArchive), values->count("json") != 0);
  });
}

}  // namespace mixop::cli
