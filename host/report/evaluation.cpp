#include "host/report/evaluation.hpp"

#include <algorithm>
#include <vector>

#include "host/report/pictures.hpp"
#include "host/task/task.hpp"
#include "host/text/printable.hpp"
#include "host/train/confusion_picture.hpp"
#include "host/train/measure.hpp"
#include "host/train/network_archive.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kMostClasses = 1000;  // of a matrix
constexpr std::size_t kMostListed = 20;      // confusions

struct Mistake {
  std::int64_t target, taken_for, count;
};

std::vector<Mistake> most_frequent(const Confusion& confusion) {
  std::vector<Mistake> all;
  for (std::int64_t target = 0; target < confusion.classes(); ++target)
    for (std::int64_t other = 0; other < confusion.classes(); ++other)
      if (const std::int64_t count = confusion.count(target, other); target != other && count > 0)
        all.push_back({target, other, count});
  std::stable_sort(all.begin(), all.end(), [](const Mistake& a, const Mistake& b) { return a.count > b.count; });
  if (all.size() > kMostListed) all.resize(kMostListed);
  return all;
}

void write_confusion(JsonWriter& json, const Confusion& confusion, const std::vector<std::string>& names) {
  json.key("classes").begin_list();
  for (std::int64_t i = 0; i < confusion.classes(); ++i)
    json.begin_object()
        .member("name", names[static_cast<std::size_t>(i)])
        .member("samples", confusion.samples(i))
        .member("correct", confusion.count(i, i))
        .end();
  json.end().key("mistakes").begin_list();
  for (const Mistake& mistake : most_frequent(confusion))
    json.begin_list().value(mistake.target).value(mistake.taken_for).value(mistake.count).end();
  json.end().member("image", image_address(confusion_svg(confusion, names)));
}

}  // namespace

bool has_confusions(const Archive& archive) {
  return stored::is_of_kind(archive, network_kind) && task_of(stored::archived_data(archive)).counts_confusions();
}

void write_evaluation(JsonWriter& json, const Archive& archive, const std::string& folder,
                      const Application& application) {
  const Config config = archived_network_config(archive, application.catalog);
  const ComponentOptions options = options_of(config);
  const DatasetHandle handle = open_data_in(folder, config, application.plugins, options);
  const DatasetInfo& info = handle.info();
  require_same_data(stored::archived_data(archive), network_data(info), archive.name(), handle.name());
  if (info.classes > kMostClasses)
    throw Error(ErrorCode::usage, archive.name() + ": --data: confusions are counted of at most " +
                                      std::to_string(kMostClasses) + " classes, found " + std::to_string(info.classes) +
                                      "; leave --data out");
  DiscreteModel model = archived_model(archive, config, application.plugins, options);
  const auto data = model.task().open_training_data(handle, config, model.type(), model.device());
  if (data->count(Records::test) == 0)
    throw Error(ErrorCode::usage, archive.name() + ": --data: the data set '" + excerpt(handle.name()) +
                                      "' has no test split to measure; leave --data out, or see mixop evaluate --split "
                                      "valid --confusion FILE.svg");
  Confusion confusion(info.classes);
  const Score score = measure(
      model, *data, Records::test, data->evaluation_batch(), [] { return true; },
      [&](std::int64_t before, std::int64_t samples) {
        throw Error(ErrorCode::failed, archive.name() + ": the network's output is not finite for the " +
                                           std::to_string(samples) + " images from " + std::to_string(before) +
                                           " on; leave --data out, or train it again with a smaller weights.lr");
      },
      &confusion);
  json.key("evaluation").begin_object().member("samples", score.samples());
  for (const RecordFigure& figure : model.task().record_figures()) json.member(figure.name, (score.*figure.of)());
  json.member("loss", model.task().stated_loss(score));
  write_confusion(json, confusion, info.class_names);
  json.end();
}

}  // namespace mixop
