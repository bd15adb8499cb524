#include "host/cli/score_output.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "host/json/json_writer.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

constexpr std::size_t kMostPrinted = 20, kFewPrinted = 10;

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

}  // namespace

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

}  // namespace mixop::cli
