#include "host/cli/all_commands.hpp"

#include <ATen/ATen.h>

#include <optional>

#include "host/cli/command_line.hpp"
#include "host/cli/network_options.hpp"
#include "host/cli/score_output.hpp"
#include "host/config/layers.hpp"
#include "host/data/digest.hpp"
#include "host/files/output.hpp"
#include "host/loop/device.hpp"
#include "host/search/exchanged_weights.hpp"
#include "host/search/run_check.hpp"
#include "host/session/archived_plugins.hpp"
#include "host/session/train_session.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/confusion_picture.hpp"
#include "host/train/measure.hpp"
#include "host/train/network_archive.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kMostClasses = 1000;  // of a matrix of confusions

CommandSyntax evaluate_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop evaluate NET.h5 [--data DIR] [--split test|valid|train] [--batch N] [--confusion FILE.svg] "
      "[--logits FILE.safetensors]\n       [--set key=value ...]\n"
      "       mixop evaluate FILE.pt|FILE.safetensors --genotype G [PRESET|config.json] [--set key=value ...] ...";
  syntax.about =
      "Measures a trained network on records as they are. Images: top-1 and top-5 accuracy in percent (with fewer than "
      "five\n"
      "classes top-5 counts them all) and the mean cross entropy in natural logarithms, which do not depend on "
      "--batch; "
      "valid\n"
      "means the train records that the training held out, train those that it used. Text: the perplexity and mean "
      "loss "
      "of every\n"
      "word but the first; --batch N reads it in N columns, which is faster and starts each of them anew.\n"
      "The network of a file of weights is the one that mixop train would make of the genotype, the preset and --set; "
      "its "
      "records\nare those of that training.";
  syntax.options.add_options()("data", po::value<std::string>()->value_name("DIR"),
                               "where the data lies; default: where it lay in training, or the environment's "
                               "MIXOP_DATA")(
      "split", po::value<std::string>()->value_name("NAME")->default_value("test"), "test, valid or train")(
      "batch", po::value<std::int64_t>()->value_name("N"),
      "images at once, or columns of text; default: the training's, 1 for text")(
      "set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
      "sets device, threads, data.name, data.workers, or an option of the data set; of a file of weights any key of "
      "mixop train")("logits", po::value<std::string>()->value_name("FILE"),
                     "writes the logits [images, classes] and the targets [images] as safetensors")(
      "confusion", po::value<std::string>()->value_name("FILE.svg"), "draws which classes were taken for which")(
      "json", "prints JSON");
  add_network_options(syntax);
  syntax.options.add_options()("auxiliary",
                               "of a file of weights; has no effect: an auxiliary head in it is read where "
                               "train.auxiliary builds one, and is no part of the figures");
  syntax.positionals = 64;
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

/// A search's archive is not one to evaluate; the message says what is.
void refuse_search(const Archive& archive) {
  if (stored::is_of_kind(archive, run_kind))
    refuse(archive, "/@layout",
           "this is a search, whose supernet is no network to evaluate; train its genotype first: mixop train "
           "--genotype " +
               archive.name() + " --out net.h5");
}

/// A network to measure, and the data to measure it on.
struct Measured {
  std::string file;
  Config config;
  DatasetHandle handle;
  DiscreteModel model;
  bool is_archived = true;
};

Score evaluate(Measured& measured, TrainingData& data, Records records, std::int64_t batch, Confusion* confusion,
               const OutputSink& sink) {
  const std::string unit = std::string(" ") + measured.model.task().unit();
  return measure(
      measured.model, data, records, batch, [] { return true; },
      [&](std::int64_t before, std::int64_t samples) {
        throw Error(
            ErrorCode::failed,
            measured.file + ", split " + records_name(records) + ": the network's output is not finite for the " +
                std::to_string(samples) + unit + " from " + std::to_string(before) + " on; its weights are too large" +
                (measured.is_archived ? ", so train it again with a smaller weights.lr" : " for these records"));
      },
      confusion, sink);
}

/// Figures of a network that is still being trained are no result of its training.
void say_unfinished(const Archive& archive, const Config& config) {
  const std::int64_t epochs = archive.integer("/position", "epoch");
  if (epochs < config.train.epochs)
    say(archive.name() + ": its training has " + std::to_string(epochs) + " of " + std::to_string(config.train.epochs) +
        " epochs; mixop train --resume goes on with it");
}

/// A file that an option asks for, refused before anything is read where it cannot be written.
std::optional<std::filesystem::path> output_of(const po::variables_map& values, const char* option,
                                               const char* ending) {
  if (values.count(option) == 0) return std::nullopt;
  std::filesystem::path file = output_path(text(values, option));
  if (file.extension() != ending)
    throw Error(ErrorCode::usage, std::string("--") + option + ": expected a file that ends in " + ending +
                                      ", found '" + excerpt(text(values, option)) + "'");
  require_writable(file);
  return file;
}

void require_drawable(const DatasetInfo& data) {
  if (!task_of(data.kind).counts_confusions() || data.classes > kMostClasses)
    throw Error(ErrorCode::usage, "--confusion: it is drawn of images of at most " + std::to_string(kMostClasses) +
                                      " classes; leave it out");
}

/// Collects what --logits writes.
class Logits {
 public:
  OutputSink sink() {
    return [this](const at::Tensor& output, const at::Tensor& target) {
      outputs_.push_back(output.detach().to(at::kCPU));
      targets_.push_back(target.detach().to(at::kCPU));
    };
  }
  void write(const std::filesystem::path& file) const {
    write_bytes(
        safetensors_file({named_values("logits", at::cat(outputs_)), named_values("targets", at::cat(targets_))}, {}),
        file);
  }

 private:
  std::vector<at::Tensor> outputs_, targets_;
};

Measured archived(const std::string& file, const po::variables_map& values, const Application& application) {
  const Archive archive = Archive::open(file);
  if (positionals(values).size() > 1 || values.count("genotype") != 0)
    throw Error(ErrorCode::usage,
                file + " is an archive, which says what its network is: leave --genotype, presets and files out");
  refuse_search(archive);
  const Config config =
      evaluation_config(values, archived_network_config(archive, application.catalog), application.catalog);
  const ComponentOptions options = options_of(config);
  DatasetHandle handle = open_data(config, application.plugins, options);
  require_same_data(stored::archived_data(archive), network_data(handle.info()), archive.name(), handle.name());
  if (records_of(text(values, "split")) != Records::test) require_training_data(archive, handle, text(values, "split"));
  say_unfinished(archive, config);
  for (const std::string& line : changed_plugins(archive, application.plugins))
    say("warning: " + line + "; its figures may be others now");
  return {archive.name(), config, std::move(handle), archived_model(archive, config, application.plugins, options)};
}

Measured loaded(const po::variables_map& values, const Application& application) {
  LoadedNetwork network(network_request(values), application);
  for (const std::string& note : network.notes) say(note);
  return {network.weights->name(), network.inputs.config, std::move(network.inputs.data), std::move(network.model),
          /*is_archived=*/false};
}

}  // namespace

int evaluate_command(const Arguments& arguments) {
  const auto values = parse(evaluate_syntax(), arguments);
  if (!values) return 0;
  const Arguments words = positionals(*values);
  if (words.empty())
    throw Error(ErrorCode::usage,
                "a network's archive or file of weights is missing\nUsage: " + evaluate_syntax().usage);
  const Records records = records_of(text(*values, "split"));
  const auto picture = output_of(*values, "confusion", ".svg"),
             logits_file = output_of(*values, "logits", ".safetensors");
  const Application application = open_application(*values);
  Measured measured =
      is_weight_file(words.front()) ? loaded(*values, application) : archived(words.front(), *values, application);
  const DatasetInfo& info = measured.handle.info();
  const Task& task = measured.model.task();
  if (picture) require_drawable(info);
  if (logits_file && !task.counts_confusions())
    throw Error(ErrorCode::usage, "--logits: is for networks of images; leave it out");
  const auto data =
      task.open_training_data(measured.handle, measured.config, measured.model.type(), measured.model.device());
  const std::int64_t batch = batch_of(*values, *data);
  const std::string split = text(*values, "split");
  if (data->count(records) == 0)
    throw Error(
        ErrorCode::usage,
        "--split " + split + ": there are no such records; " +
            (records == Records::valid ? "the training held none out (data.train_portion)"
                                       : "the data set has no test split; --split valid measures the records that the "
                                         "training held out, --split train those that it took"));
  if (const std::string fewer = fewer_threads(measured.config.threads); !fewer.empty()) say(fewer);
  std::optional<Confusion> confusion;
  if (task.counts_confusions() && info.classes <= kMostClasses) confusion.emplace(info.classes);
  Confusion* const counted = confusion ? &*confusion : nullptr;
  Logits logits;
  const Score score = evaluate(measured, *data, records, batch, counted, logits_file ? logits.sink() : OutputSink());
  if (picture) write_text(confusion_svg(*confusion, info.class_names), *picture);
  if (logits_file) logits.write(*logits_file);
  const bool json = values->count("json") != 0;
  (json ? write_score : print_score)(task, score, data->count(records), split, counted, info.class_names);
  return 0;
}

}  // namespace mixop::cli
