#include "stages.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace mixop::strategies {
namespace {

std::int64_t at_least(const Options& options, const char* name, std::int64_t least) {
  const std::int64_t value = options.integer(name);
  if (value < least)
    throw Error(ErrorCode::usage, std::string("stages.") + name + ": expected a number from " + std::to_string(least) +
                                      " on, found " + options.text(name));
  return value;
}

constexpr std::size_t kFewest = 2;  // one of two may be "none"

}  // namespace

Stages::Stages(const Options& options)
    : count_(at_least(options, "count", 1)), layers_(at_least(options, "layers", 0)), last_(options.real("last")) {
  if (!(last_ > 0 && last_ <= 1))
    throw Error(ErrorCode::usage, "stages.last: expected a number above 0 and at most 1, found " + options.text("last"));
  if (layers_ > 1000 || count_ > 1000)
    throw Error(ErrorCode::usage, "stages.count and stages.layers: expected at most 1000, found " + options.text("count") +
                                      " and " + options.text("layers"));
}

std::int64_t Stages::count(std::int64_t epochs) const { return std::min(count_, epochs); }

std::int64_t Stages::first(std::int64_t stage, std::int64_t epochs) const { return stage * epochs / count(epochs); }

std::int64_t Stages::stage_of(const SearchPosition& at) const {
  std::int64_t stage = count(at.epochs) - 1;
  while (stage > 0 && first(stage, at.epochs) > at.epoch) --stage;
  return stage;
}

std::size_t Stages::kept(std::int64_t stage, std::int64_t epochs, std::size_t operations) const {
  const auto all = static_cast<double>(operations);
  const double last = std::max(std::round(last_ * all), 1.0);
  const double way = static_cast<double>(stage) / static_cast<double>(std::max<std::int64_t>(count(epochs) - 1, 1));
  const auto kept = static_cast<std::size_t>(std::floor(all - (all - last) * way + 1e-9));
  return std::min(std::max(kept, kFewest), operations);
}

EpochPlan Stages::plan(const SearchPosition& at) const {
  EpochPlan plan;
  plan.dropped = dropped_.tensors();
  const std::int64_t stage = stage_of(at), begun = first(stage, at.epochs);
  plan.stage = SearchStage{begun, first(stage + 1, at.epochs), begun, stage * layers_, 1};
  return plan;
}

void Stages::decide(const EpochEnd& end) {
  if (end.at.epoch >= end.at.epochs) return;  // what the last stage leaves, derivers judge
  const std::int64_t stage = stage_of(end.at);
  if (stage == 0 || first(stage, end.at.epochs) != end.at.epoch) return;
  std::size_t set = 0;
  for (std::size_t i = 0; i < end.alphas->size(); ++i) {
    if ((*end.alphas)[i].weighs) continue;
    const CellTopology& topology = (*end.alphas)[i].topology;
    const std::size_t kept = this->kept(stage, end.at.epochs, topology.operations.size());
    for (std::int64_t cell = 0; cell < dropped_.cells(set); ++cell)
      for (std::size_t k = 0; k < topology.edges.size(); ++k) {
        const DroppedSets::Edge edge{set, cell, static_cast<std::int64_t>(k)};
        const at::Tensor strengths = DroppedSets::row((*end.relaxed)[i], edge).to(at::kDouble);
        std::vector<std::int64_t> left = dropped_.left(edge);
        std::stable_sort(left.begin(), left.end(), [&](std::int64_t a, std::int64_t b) {
          return strengths[a].item<double>() < strengths[b].item<double>();
        });
        for (std::size_t weakest = 0; weakest + kept < left.size(); ++weakest) dropped_.drop(edge, left[weakest]);
      }
    ++set;
  }
}

}  // namespace mixop::strategies
