#include "host/task/task.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "host/data/token_set.hpp"
#include "host/task/batches.hpp"
#include "host/task/image_records.hpp"
#include "host/task/text_batches.hpp"
#include "host/task/text_records.hpp"
#include "host/text/printable.hpp"
#include "host/text/sha256.hpp"

namespace mixop {
namespace {

std::string with_unit(const std::string& text, const Figure& figure) {
  return *figure.unit == '\0' ? text : text + " " + figure.unit;
}

/// "  valid top-1 43.10 %" where there is such a metric.
std::string part_text(const Metrics& metrics, const char* which, const Figure& figure, bool named = true) {
  const auto found = metrics.find(std::string(which) + "_" + figure.name);
  if (found == metrics.end()) return "";
  return "  " + (named ? std::string(which) + " " : "") + figure.label + " " + value_text(figure, found->second);
}

/// As streams print it.
std::string printed(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

/// What a model that sees no context can reach, of each split that has words.
std::map<std::string, double> unigram_perplexities(const DatasetHandle& data) {
  std::map<std::string, double> perplexities;
  for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split)
    if (data.info().records[static_cast<std::size_t>(split)] > 0) {
      const TokenSet words(data, split);
      perplexities[split_name(split)] = unigram_perplexity(words.tokens(), words.vocabulary());
    }
  return perplexities;
}

class Images final : public Task {
 public:
  Domain domain() const override { return Domain::image; }
  const char* data_name() const override { return "images"; }
  const char* unit() const override { return "images"; }
  const char* record_unit() const override { return "records"; }
  std::unique_ptr<SearchData> open_search_data(const DatasetHandle& data, const Config& config, at::ScalarType type,
                                               at::Device device) const override {
    return std::make_unique<SearchBatches>(data, config, type, device);
  }
  std::unique_ptr<TrainingData> open_training_data(const DatasetHandle& data, const Config& config, at::ScalarType type,
                                                   at::Device device) const override {
    return std::make_unique<ImageRecords>(data, config, type, device);
  }
  Batch drawn_batch(const ImageShape& shape, std::int64_t, std::int64_t samples, at::ScalarType type,
                    at::Device device) const override {
    const auto options = at::TensorOptions(device);
    return {at::linspace(-2, 2, samples * numbers_of(shape), options.dtype(type))
                .view({samples, shape.channels, shape.height, shape.width}),
            at::zeros({samples}, options.dtype(at::kLong))};
  }
  at::Tensor carried_state(std::int64_t, std::int64_t, const at::TensorOptions&) const override { return {}; }
  bool has_equal_epochs() const override { return true; }
  bool has_low_precision() const override { return true; }

  const Figure& step_figure() const override {
    static constexpr Figure accuracy{"accuracy", "accuracy", "%.2f", "%", true};
    return accuracy;
  }
  const std::vector<RecordFigure>& record_figures() const override {
    static const std::vector<RecordFigure> figures = {{{"top1", "top-1", "%.2f", "%", true}, &Score::top1},
                                                      {{"top5", "top-5", "%.2f", "%", true}, &Score::top5}};
    return figures;
  }
  Metrics means(const EpochSums& sums, const std::string& which) const override {
    return {{which + "_loss", sums.mean_loss()},
            {which + "_accuracy", 100.0 * static_cast<double>(sums.correct) / static_cast<double>(sums.samples)}};
  }
  double stated_loss(const Score& score) const override { return std::round(score.loss() * 1e4) / 1e4; }
  const char* samples_name() const override { return "samples"; }
  std::string best_epoch_metric() const override { return "valid_top1"; }
  std::string epoch_text(const Metrics& metrics) const override {
    const std::vector<RecordFigure>& figures = record_figures();
    std::string text;
    for (const char* which : {"train", "valid"})
      for (const Figure* figure : {&loss_figure, &step_figure()}) text += part_text(metrics, which, *figure);
    text += part_text(metrics, "valid", figures.front()) + part_text(metrics, "test", loss_figure);
    for (const RecordFigure& figure : figures)
      text += part_text(metrics, "test", figure, /*named=*/&figure == &figures.front());
    return text;
  }
  std::string size_text(const SpaceKeys& space) const override {
    return std::to_string(space.channels) + " channels, " + std::to_string(space.layers) + " cells";
  }
  std::string size_keys(const SpaceKeys& space) const override {
    return "space.channels (" + std::to_string(space.channels) + "), space.layers (" + std::to_string(space.layers) + ")";
  }
  std::int64_t samples_of_step(std::int64_t batch, std::int64_t) const override { return batch; }
  std::string data_text(const NetworkData& data) const override {
    return std::to_string(data.shape.channels) + "x" + std::to_string(data.shape.height) + "x" +
           std::to_string(data.shape.width) + " images of " + std::to_string(data.classes) + " classes";
  }
  std::vector<std::pair<const char*, std::int64_t>> shape_members(const ImageShape& shape) const override {
    return {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}};
  }
  const char* classes_name() const override { return "classes"; }
  bool counts_confusions() const override { return true; }
  bool has_distance() const override { return true; }
  std::vector<std::string> data_lines(const DatasetHandle& data) const override {
    const DatasetInfo& info = data.info();
    return {"images: " + std::to_string(info.channels) + "x" + std::to_string(info.height) + "x" +
            std::to_string(info.width) + (info.many_sizes ? ", made of images of many sizes" : "")};
  }
  void write_data(JsonWriter& json, const DatasetHandle& data) const override {
    const DatasetInfo& info = data.info();
    json.key("shape").begin_list().value(info.channels).value(info.height).value(info.width).end();
  }
  NetworkData usual_data() const override { return {{3, 32, 32}, 10, ""}; }
  DatasetInfo info_of(const ImageShape& shape, std::int64_t classes) const override {
    DatasetInfo info;
    info.kind = MIXOP_DATA_IMAGES;
    info.classes = classes;
    info.channels = static_cast<std::int32_t>(shape.channels);
    info.height = static_cast<std::int32_t>(shape.height);
    info.width = static_cast<std::int32_t>(shape.width);
    return info;
  }
  const std::vector<const char*>& size_options() const override {
    static const std::vector<const char*> options = {"channels", "layers", "input", "stem", "classes"};
    return options;
  }
  const char* preset(RunKind kind) const override {
    return kind == RunKind::search ? "darts-cifar10" : "darts-cifar10-train";
  }
  std::vector<std::string> selection_keys(const Config&) const override { return {"data.train_portion=0.5"}; }
};

class Text final : public Task {
 public:
  Domain domain() const override { return Domain::recurrent; }
  const char* data_name() const override { return "text"; }
  const char* unit() const override { return "words"; }
  const char* record_unit() const override { return "words"; }
  std::unique_ptr<SearchData> open_search_data(const DatasetHandle& data, const Config& config, at::ScalarType,
                                               at::Device device) const override {
    return std::make_unique<TextBatches>(data, config, device);
  }
  std::unique_ptr<TrainingData> open_training_data(const DatasetHandle& data, const Config& config, at::ScalarType,
                                                   at::Device device) const override {
    return std::make_unique<TextRecords>(data, config, device);
  }
  Batch drawn_batch(const ImageShape&, std::int64_t rows, std::int64_t samples, at::ScalarType,
                    at::Device device) const override {
    const at::Tensor words = at::zeros({rows, samples}, at::TensorOptions(device).dtype(at::kLong));
    return {words, words};
  }
  at::Tensor carried_state(std::int64_t batch, std::int64_t width, const at::TensorOptions& options) const override {
    return at::empty({batch, width}, options.requires_grad(false));
  }
  bool has_equal_epochs() const override { return false; }
  bool has_low_precision() const override { return false; }

  const Figure& step_figure() const override {
    static constexpr Figure perplexity{"perplexity", "perplexity", "%.6g", "", false};
    return perplexity;
  }
  const std::vector<RecordFigure>& record_figures() const override {
    static const std::vector<RecordFigure> figures = {
        {{"perplexity", "perplexity", "%.2f", "", false}, &Score::perplexity}};
    return figures;
  }
  Metrics means(const EpochSums& sums, const std::string& which) const override {
    return {{which + "_loss", sums.mean_loss()}, {which + "_perplexity", perplexity_of(sums.mean_loss())}};
  }
  double stated_loss(const Score& score) const override { return score.loss(); }
  const char* samples_name() const override { return "tokens"; }
  std::string best_epoch_metric() const override { return "valid_loss"; }
  std::string epoch_text(const Metrics& metrics) const override {
    std::string text;
    for (const Figure* figure : {&loss_figure, &step_figure()})
      for (const char* which : {"train", "valid"}) text += part_text(metrics, which, *figure);
    return text;
  }
  std::string size_text(const SpaceKeys& space) const override { return "width " + std::to_string(space.width); }
  std::string size_keys(const SpaceKeys& space) const override {
    return "space.width (" + std::to_string(space.width) + ")";
  }
  std::int64_t samples_of_step(std::int64_t batch, std::int64_t rows) const override { return batch * rows; }
  std::string data_text(const NetworkData& data) const override {
    return "text of " + std::to_string(data.classes) + " words";
  }
  std::vector<std::pair<const char*, std::int64_t>> shape_members(const ImageShape&) const override { return {}; }
  const char* classes_name() const override { return "words"; }
  bool counts_confusions() const override { return false; }
  bool has_distance() const override { return false; }
  std::vector<std::string> data_lines(const DatasetHandle& data) const override {
    std::vector<std::string> lines;
    for (const auto& [split, perplexity] : unigram_perplexities(data))
      lines.push_back("unigram perplexity, " + split + ": " + printed(perplexity));
    return lines;
  }
  void write_data(JsonWriter& json, const DatasetHandle& data) const override {
    json.key("unigram_perplexity").begin_object();
    for (const auto& [split, perplexity] : unigram_perplexities(data)) json.member(split, perplexity);
    json.end();
  }
  NetworkData usual_data() const override { return {{}, 10000, ""}; }
  DatasetInfo info_of(const ImageShape&, std::int64_t classes) const override {
    DatasetInfo info;
    info.kind = MIXOP_DATA_TEXT;
    info.classes = classes;
    return info;
  }
  const std::vector<const char*>& size_options() const override {
    static const std::vector<const char*> options = {"width", "vocabulary"};
    return options;
  }
  const char* preset(RunKind kind) const override {
    return kind == RunKind::search ? "darts-ptb-search" : "darts-ptb-train";
  }
  std::vector<std::string> selection_keys(const Config& search) const override {
    return {"data.bptt=" + std::to_string(search.data.bptt)};
  }
};

const Images kImages;
const Text kText;

}  // namespace

const std::vector<const Task*>& tasks() {
  static const std::vector<const Task*> all = {&kImages, &kText};
  return all;
}

const Task& task_of(std::int32_t data_kind) {
  if (data_kind == MIXOP_DATA_TEXT) return kText;
  return kImages;
}

const Task& task_of(Domain domain) {
  if (domain == Domain::recurrent) return kText;
  return kImages;
}

const Task& task_of(const NetworkData& data) {
  return task_of(data.shape.channels == 0 ? Domain::recurrent : Domain::image);
}

Metrics metrics(const Task& task, const Score& score, const std::string& which) {
  Metrics all{{which + "_loss", score.loss()}};
  for (const RecordFigure& figure : task.record_figures()) all[which + "_" + figure.name] = (score.*figure.of)();
  return all;
}

std::string number_text(const Figure& figure, double value) {
  char text[64];
  std::snprintf(text, sizeof text, figure.format, value);
  return text;
}

std::string value_text(const Figure& figure, double value) { return with_unit(number_text(figure, value), figure); }

std::string label_text(const Figure& figure) { return with_unit(figure.label, figure); }

std::string figure_text(const std::string& metric, double value) {
  const std::size_t middle = metric.find('_');
  if (middle == std::string::npos) return "";
  for (const Task* task : tasks())
    for (const Figure& figure : task->record_figures())
      if (metric.compare(middle + 1, std::string::npos, figure.name) == 0)
        return metric.substr(0, middle) + " " + figure.label + ": " + value_text(figure, value);
  return "";
}

std::string digest_of_names(const std::vector<std::string>& names) {
  std::string lines;
  for (const std::string& name : names) lines += name + "\n";
  return sha256_of_text(lines);
}

NetworkData network_data(const DatasetInfo& info) {
  NetworkData data{{info.channels, info.height, info.width}, info.classes, digest_of_names(info.class_names)};
  if (info.channels == 0) return data;
  data.class_names = info.class_names;
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(info.channels); ++channel) {
    data.mean.push_back(info.mean[channel]);
    data.deviation.push_back(info.deviation[channel]);
  }
  return data;
}

std::string data_text(const NetworkData& data) { return task_of(data).data_text(data); }

void require_same_data(const NetworkData& network, const NetworkData& found, const std::string& file,
                       const std::string& data) {
  if (network == found) return;
  const bool alike = data_text(network) == data_text(found);
  throw Error(ErrorCode::usage, file + " was trained on " + data_text(network) + ", and the data set '" +
                                    excerpt(data) + "' has " + data_text(found) +
                                    (alike ? " of other names or in another order" : "") + "; name data like that");
}

}  // namespace mixop
