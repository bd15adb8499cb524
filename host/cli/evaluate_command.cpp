#include "host/cli/all_commands.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>

#include "host/cli/command_line.hpp"
#include "host/config/layers.hpp"
#include "host/data/digest.hpp"
#include "host/files/output.hpp"
#include "host/json/json_writer.hpp"
#include "host/loop/device.hpp"
#include "host/search/run_check.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "host/text/text.hpp"
#include "host/train/confusion_picture.hpp"
#include "host/train/measure.hpp"
#include "host/train/network_archive.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMostClasses = 1000;  // of a matrix of confusions
constexpr std::size_t kMostPrinted = 20, kFewPrinted = 10;

CommandSyntax evaluate_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop evaluate NET.h5 [--data DIR] [--split test|valid|train] [--batch N] [--confusion FILE.svg] "
      "[--set key=value ...]";
  syntax.about =
      "Measures a trained network on records as they are. Images: top-1 and top-5 accuracy in percent (with fewer than "
      "five\n"
      "classes top-5 counts them all) and the mean cross entropy in natural logarithms, which do not depend on "
      "--batch; "
      "valid\n"
      "means the train records that the training held out, train those that it used. Text: the perplexity and mean "
      "loss "
      "of every\n"
      "word but the first; --batch N reads it in N columns, which is faster and starts each of them anew.";
  syntax.options.add_options()("data", po::value<std::string>()->value_name("DIR"),
                               "where the data lies; default: where it lay in training, or the environment's "
                               "MIXOP_DATA")(
      "split", po::value<std::string>()->value_name("NAME")->default_value("test"), "test, valid or train")(
      "batch", po::value<std::int64_t>()->value_name("N"),
      "images at once, or columns of text; default: the training's, 1 for text")(
      "set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
      "sets device, threads, data.name, data.workers, or an option of the data set")(
      "confusion", po::value<std::string>()->value_name("FILE.svg"), "draws which classes were taken for which")(
      "json", "prints JSON");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

Records records_of(const std::string& split) {
  for (const Records records : {Records::test, Records::valid, Records::train})
    if (split == records_name(records)) return records;
  throw Error(ErrorCode::usage, "--split: expected test, valid or train, found '" + excerpt(split) + "'");
}

std::int64_t batch_of(const po::variables_map& values, const TrainingData& data) {
  const std::int64_t batch = values.count("batch") != 0 ? values["batch"].as<std::int64_t>() : data.evaluation_batch();
  if (batch < 1 || batch > 1000000)
    throw Error(ErrorCode::usage, "--batch: expected a whole number from 1 to 1000000, found " + std::to_string(batch));
  return batch;
}

/// What the network is and how it was trained, the split of its records among it, stands in its archive.
void require_free(const std::string& assignment, const std::string& data) {
  const std::string key(trimmed(std::string_view(assignment).substr(0, assignment.find('='))));
  for (const char* free : {"device", "threads", "data.name", "data.dir", "data.workers"})
    if (key == free) return;
  if (key.rfind(data + ".", 0) == 0) return;
  throw Error(ErrorCode::usage, "--set " + assignment + ": evaluate takes device, threads, data.name, data.dir, " +
                                    "data.workers and the options of the data set " + data + ", not " + key +
                                    "; what the network is and how it was trained stands in its archive");
}

/// The data set that the assignments name last, or `archived`.
std::string data_name_of(const Arguments& sets, const std::string& archived) {
  constexpr std::string_view kKey = "data.name=";
  std::string name = archived;
  for (const std::string& assignment : sets)
    if (assignment.rfind(kKey, 0) == 0) name = trimmed(assignment.substr(kKey.size()));
  return name;
}

/// The archive's config with the command line's changes, which may not touch the network. Another data set does without
/// the options of the archive's.
Config evaluation_config(const po::variables_map& values, Config archived, const OptionCatalog& catalog) {
  const Arguments sets = values.count("set") != 0 ? values["set"].as<Arguments>() : Arguments{};
  const std::string data = data_name_of(sets, archived.data.name);
  for (const std::string& assignment : sets) require_free(assignment, data);
  if (data != archived.data.name) archived.options.erase(archived.data.name);
  ConfigLayers layers(catalog, RunKind::train);
  layers.add_object(parse_json(to_json(archived), "the archive's config", ErrorCode::bad_data), "the archive's config");
  for (const std::string& assignment : sets) layers.add_set(assignment);
  if (values.count("data") != 0) layers.add_set("data.dir=" + text(values, "data"));
  return layers.config();
}

/// The records that trained the network and those that it held out are known by their place in the data it had.
void require_training_data(const Archive& archive, const DatasetHandle& data, const std::string& split) {
  const std::string trained = archive.text("/provenance", "dataset_digest"), found = dataset_digest(data);
  if (trained != found)
    throw Error(ErrorCode::usage,
                "--split " + split + ": " + archive.name() + " was trained on data of digest " + trained +
                    ", and the data at hand has " + found +
                    ", of which no record is known as held out or as trained on; name the same data, or take "
                    "--split test");
}

void require_same_data(const NetworkData& network, const NetworkData& found, const std::string& file,
                       const std::string& data) {
  if (network == found) return;
  const bool alike = data_text(network) == data_text(found);
  throw Error(ErrorCode::usage, file + " was trained on " + data_text(network) + ", and the data set '" +
                                    excerpt(data) + "' has " + data_text(found) +
                                    (alike ? " of other names or in another order" : "") + "; name data like that");
}

/// A search's archive is not one to evaluate; the message says what is.
void refuse_search(const Archive& archive) {
  if (stored::is_of_kind(archive, run_kind))
    refuse(archive, "/@layout",
           "this is a search, whose supernet is no network to evaluate; train its genotype first: mixop train "
           "--genotype " +
               archive.name() + " --out net.h5");
}

Score evaluate(DiscreteModel& model, TrainingData& data, Records records, std::int64_t batch, const std::string& file,
               Confusion* confusion) {
  const std::string unit = std::string(" ") + model.task().unit();
  return measure(
      model, data, records, batch, [] { return true; },
      [&](std::int64_t before, std::int64_t samples) {
        throw Error(ErrorCode::failed,
                    file + ", split " + records_name(records) + ": the network's output is not finite for the " +
                        std::to_string(samples) + unit + " from " + std::to_string(before) +
                        " on; its weights are too large, so train it again with a smaller weights.lr");
      },
      confusion);
}

/// Figures of a network that is still being trained are no result of its training.
void say_unfinished(const Archive& archive, const Config& config) {
  const std::int64_t epochs = archive.integer("/position", "epoch");
  if (epochs < config.train.epochs)
    say(archive.name() + ": its training has " + std::to_string(epochs) + " of " + std::to_string(config.train.epochs) +
        " epochs; mixop train --resume goes on with it");
}

/// A class and how well it was recognised.
struct ClassScore {
  std::string name;
  std::int64_t samples, right;
  double accuracy;
};

std::vector<ClassScore> class_scores(const Confusion& confusion, const std::vector<std::string>& names) {
  std::vector<ClassScore> scores;
  for (std::int64_t i = 0; i < confusion.classes(); ++i)
    scores.push_back(
        {names[static_cast<std::size_t>(i)], confusion.samples(i), confusion.count(i, i), confusion.accuracy(i)});
  return scores;
}

void write_classes(JsonWriter& json, const Confusion& confusion, const std::vector<std::string>& names) {
  json.key("classes").begin_list();
  for (const ClassScore& score : class_scores(confusion, names))
    json.begin_object()
        .member("name", score.name)
        .member("samples", score.samples)
        .member("correct", score.right)
        .member("accuracy", score.accuracy)
        .end();
  json.end().key("confusion").begin_list();
  for (std::int64_t target = 0; target < confusion.classes(); ++target) {
    json.begin_list();
    for (std::int64_t i = 0; i < confusion.classes(); ++i) json.value(confusion.count(target, i));
    json.end();
  }
  json.end();
}

/// All classes in their order, or of many those that were recognised worst.
void print_classes(const Confusion& confusion, const std::vector<std::string>& names) {
  std::vector<ClassScore> scores = class_scores(confusion, names);
  std::erase_if(scores, [](const ClassScore& score) { return score.samples == 0; });
  if (scores.size() > kMostPrinted) {
    std::stable_sort(scores.begin(), scores.end(),
                     [](const ClassScore& a, const ClassScore& b) { return a.accuracy < b.accuracy; });
    std::printf("the %zu classes of %zu that are recognised worst (--json has all):\n", kFewPrinted, scores.size());
    scores.resize(kFewPrinted);
  }
  for (const ClassScore& score : scores)
    std::printf("  %6.2f %%  %s (%lld of %lld)\n", score.accuracy, printable(score.name).c_str(),
                static_cast<long long>(score.right), static_cast<long long>(score.samples));
}

void write_score(const Task& task, const Score& score, std::int64_t records, const std::string& split,
                 const Confusion* confusion, const std::vector<std::string>& names) {
  JsonWriter json;
  json.begin_object();
  for (const RecordFigure& figure : task.record_figures()) json.member(figure.name, (score.*figure.of)());
  json.member("loss", task.stated_loss(score)).member(task.samples_name(), score.samples());
  if (task.counts_confusions()) json.member("skipped", records - score.samples());
  json.member("split", split);
  if (confusion != nullptr) write_classes(json, *confusion, names);
  std::cout << json.end().text() << std::endl;
}

void print_score(const Task& task, const Score& score, std::int64_t records, const std::string& split,
                 const Confusion* confusion, const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> lines;
  for (const RecordFigure& figure : task.record_figures())
    lines.push_back({figure.label, value_text(figure, (score.*figure.of)())});
  lines.push_back({loss_figure.label, value_text(loss_figure, score.loss())});
  lines.push_back({task.samples_name(), std::to_string(score.samples()) + " (" + split + ")"});
  if (const std::int64_t skipped = records - score.samples(); task.counts_confusions() && skipped > 0)
    lines.push_back({"skipped", std::to_string(skipped) + " that cannot be decoded"});
  std::cout << table_text(lines, {Align::left, Align::left}) << std::flush;
  if (confusion != nullptr) print_classes(*confusion, names);
}

/// The picture that --confusion asks for, refused before anything is read where it cannot be written.
std::optional<std::filesystem::path> picture_of(const po::variables_map& values) {
  if (values.count("confusion") == 0) return std::nullopt;
  std::filesystem::path file = output_path(text(values, "confusion"));
  if (file.extension() != ".svg")
    throw Error(ErrorCode::usage,
                "--confusion: expected a file that ends in .svg, found '" + excerpt(text(values, "confusion")) + "'");
  require_writable(file);
  return file;
}

void require_drawable(const DatasetInfo& data) {
  if (!task_of(data.kind).counts_confusions() || data.classes > kMostClasses)
    throw Error(ErrorCode::usage, "--confusion: it is drawn of images of at most " + std::to_string(kMostClasses) +
                                      " classes; leave it out");
}

}  // namespace

int evaluate_command(const Arguments& arguments) {
  const auto values = parse(evaluate_syntax(), arguments);
  if (!values) return 0;
  const Arguments files = positionals(*values);
  if (files.empty()) throw Error(ErrorCode::usage, "a network's archive is missing\nUsage: " + evaluate_syntax().usage);
  const Records records = records_of(text(*values, "split"));
  const auto picture = picture_of(*values);
  const PluginRegistry plugins = load_plugins(*values);
  const OptionCatalog catalog = option_catalog(plugins);
  const Archive archive = Archive::open(files.front());
  refuse_search(archive);
  const Config config = evaluation_config(*values, archived_network_config(archive, catalog), catalog);
  const ComponentOptions options = options_of(config);
  const DatasetHandle handle = open_data(config, plugins, options);
  require_same_data(stored::archived_data(archive), network_data(handle.info()), archive.name(), handle.name());
  if (picture) require_drawable(handle.info());
  if (records != Records::test) require_training_data(archive, handle, text(*values, "split"));
  DiscreteModel model = archived_model(archive, config, plugins, options);
  const auto data = model.task().open_training_data(handle, config, model.type(), model.device());
  const std::int64_t batch = batch_of(*values, *data);
  const std::string split = text(*values, "split");
  if (data->count(records) == 0)
    throw Error(ErrorCode::usage, "--split " + split + ": there are no such records; " +
                                      (records == Records::valid ? "the training held none out (data.train_portion)"
                                                                 : "the data set has no test split; --split valid measures the records that the "
                                                                   "training held out, --split train those that it took"));
  say_unfinished(archive, config);
  if (const std::string fewer = fewer_threads(config.threads); !fewer.empty()) say(fewer);
  const bool json = values->count("json") != 0;
  std::optional<Confusion> confusion;
  if (model.task().counts_confusions() && handle.info().classes <= kMostClasses)
    confusion.emplace(handle.info().classes);
  Confusion* const counted = confusion ? &*confusion : nullptr;
  const std::vector<std::string>& names = handle.info().class_names;
  const Score score = evaluate(model, *data, records, batch, archive.name(), counted);
  if (picture) write_text(confusion_svg(*confusion, names), *picture);
  (json ? write_score : print_score)(model.task(), score, data->count(records), split, counted, names);
  return 0;
}

}  // namespace mixop::cli
