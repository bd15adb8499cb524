#include "perturbation.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "mixop/random.hpp"

namespace mixop::strategies {
namespace {

/// Nodes with their edges, of one cell's topology: those of more than genotypes keep.
std::vector<std::vector<std::int64_t>> crowded_nodes(const CellTopology& topology) {
  const auto kept = static_cast<std::size_t>(topology.kept > 0 ? topology.kept : topology.inputs);
  std::vector<std::vector<std::int64_t>> nodes;
  for (std::size_t first = 0, last = 0; first < topology.edges.size(); first = last) {
    std::vector<std::int64_t> edges;
    for (; last < topology.edges.size() && topology.edges[last].to == topology.edges[first].to; ++last)
      edges.push_back(static_cast<std::int64_t>(last));
    if (edges.size() > kept) nodes.push_back(std::move(edges));
  }
  return nodes;
}

/// The set of the search that a set of begin() is.
std::size_t searched(const std::vector<AlphaSet>& alphas, std::size_t set) {
  std::size_t i = 0;
  for (std::size_t left = set; alphas[i].weighs || left > 0; ++i)
    if (!alphas[i].weighs) --left;
  return i;
}

/// The same weights, to be changed.
std::vector<Relaxed> copy(std::vector<Relaxed> edge_weights) {
  for (Relaxed& set : edge_weights) {
    set.weights = set.weights.clone();
    if (set.edges.defined()) set.edges = set.edges.clone();
  }
  return edge_weights;
}

std::size_t place(const at::Tensor& of_set, const DroppedSets::Edge& edge, std::int64_t operation) {
  const std::int64_t operations = of_set.size(-1), edges = of_set.size(-2);
  return static_cast<std::size_t>((edge.cell * edges + edge.edge) * operations + operation);
}

/// Without one operation, the others as they are (the published program's project_op()).
void take_away(Relaxed& set, const DroppedSets::Edge& edge, std::int64_t operation) {
  DroppedSets::row(set.weights, edge)[operation].zero_();
  set.active.resize(static_cast<std::size_t>(set.weights.numel()), true);
  set.active[place(set.weights, edge, operation)] = false;
}

void take_edge_away(Relaxed& set, const DroppedSets::Edge& edge) {
  for (std::int64_t k = 0; k < set.weights.size(-1); ++k) take_away(set, edge, k);
  if (set.edges.defined()) DroppedSets::row(set.edges, edge).zero_();
}

}  // namespace

Perturbation::Perturbation(const Options& options)
    : start_(options.real("start")), rate_(options.real("rate")), by_loss_(options.text("by") == "loss") {
  if (!(start_ >= 0 && start_ <= 1))
    throw Error(ErrorCode::usage, "perturbation.start: expected a number from 0 to 1, found " + options.text("start"));
  if (!(rate_ > 0) || std::isinf(rate_))
    throw Error(ErrorCode::usage, "perturbation.rate: expected a number above 0, found " + options.text("rate"));
  if (!by_loss_ && options.text("by") != "accuracy")
    throw Error(ErrorCode::usage, "perturbation.by: expected accuracy or loss, found '" + options.text("by") + "'");
}

void Perturbation::begin(const std::vector<SearchedSet>& sets) {
  dropped_ = DroppedSets(sets);
  edge_decisions_ = node_decisions_ = 0;
  for (const SearchedSet& searched : sets) {
    const CellTopology& topology = searched.set.topology;
    edge_decisions_ = std::max(edge_decisions_, static_cast<std::int64_t>(topology.edges.size()));
    node_decisions_ = std::max(node_decisions_, static_cast<std::int64_t>(crowded_nodes(topology).size()));
  }
}

std::int64_t Perturbation::start(std::int64_t epochs) const {
  return std::clamp<std::int64_t>(std::llround(start_ * static_cast<double>(epochs)), 1, epochs);
}

std::int64_t Perturbation::taken_at(std::int64_t decision, std::int64_t epochs) const {
  const std::int64_t start = this->start(epochs);
  return start + (epochs - start) * decision / std::max<std::int64_t>(decisions() - 1, 1);
}

EpochPlan Perturbation::plan(const SearchPosition& at) const {
  EpochPlan plan;
  plan.dropped = dropped_.tensors();
  const std::int64_t start = this->start(at.epochs);
  plan.stage = at.epoch < start ? SearchStage{0, start, 0, 0, 1} : SearchStage{start, at.epochs, 0, 0, rate_};
  return plan;
}

double Perturbation::score(const EpochEnd& end, const std::vector<Relaxed>& edge_weights) const {
  const NetworkScore measured = end.measure(edge_weights);
  return by_loss_ ? -measured.loss : measured.accuracy.value_or(-measured.loss);
}

void Perturbation::decide(const EpochEnd& end) {
  for (; taken_ < decisions() && taken_at(taken_, end.at.epochs) <= end.at.epoch; ++taken_)
    taken_ < edge_decisions_ ? decide_edges(end) : decide_nodes(end);
}

void Perturbation::decide_edges(const EpochEnd& end) {
  for (std::size_t set = 0; set < dropped_.sets().size(); ++set) {
    const CellTopology& topology = dropped_.sets()[set].topology;
    for (std::int64_t cell = 0; cell < dropped_.cells(set); ++cell) {
      std::vector<DroppedSets::Edge> open;
      for (std::size_t k = 0; k < topology.edges.size(); ++k)
        if (const DroppedSets::Edge edge{set, cell, static_cast<std::int64_t>(k)}; dropped_.left(edge).size() > 1)
          open.push_back(edge);
      if (open.empty()) continue;
      RandomStream stream(key_of({end.key, set, static_cast<std::uint64_t>(cell), static_cast<std::uint64_t>(taken_)}));
      const DroppedSets::Edge edge = open[stream.below(open.size())];
      const std::vector<Relaxed> whole = end.edge_weights();
      const std::vector<std::int64_t> left = dropped_.left(edge);
      std::optional<std::pair<double, std::int64_t>> best;
      for (const std::int64_t operation : left) {
        // Without "none" nothing changes: it is kept only where genotypes list it, or nothing else is left.
        if (!topology.keeps_none && topology.operations[static_cast<std::size_t>(operation)] == "none") continue;
        std::vector<Relaxed> rest = copy(whole);
        take_away(rest[searched(*end.alphas, set)], edge, operation);
        const double without = score(end, rest);
        if (!best || without < best->first) best = {without, operation};
      }
      for (const std::int64_t operation : left)
        if (best ? operation != best->second : operation != left.front()) dropped_.drop(edge, operation);
    }
  }
}

void Perturbation::decide_nodes(const EpochEnd& end) {
  for (std::size_t set = 0; set < dropped_.sets().size(); ++set) {
    const CellTopology& topology = dropped_.sets()[set].topology;
    const auto kept = static_cast<std::size_t>(topology.kept > 0 ? topology.kept : topology.inputs);
    for (std::int64_t cell = 0; cell < dropped_.cells(set); ++cell) {
      std::vector<std::vector<DroppedSets::Edge>> open;
      for (const std::vector<std::int64_t>& node : crowded_nodes(topology)) {
        std::vector<DroppedSets::Edge> edges;
        for (const std::int64_t k : node)
          if (const DroppedSets::Edge edge{set, cell, k}; !dropped_.left(edge).empty()) edges.push_back(edge);
        if (edges.size() > kept) open.push_back(std::move(edges));
      }
      if (open.empty()) continue;
      RandomStream stream(key_of({end.key, set, static_cast<std::uint64_t>(cell), static_cast<std::uint64_t>(taken_)}));
      std::vector<DroppedSets::Edge> edges = open[stream.below(open.size())];
      while (edges.size() > kept) {
        const std::vector<Relaxed> whole = end.edge_weights();
        std::optional<std::pair<double, std::size_t>> least_missed;
        for (std::size_t k = 0; k < edges.size(); ++k) {
          std::vector<Relaxed> rest = copy(whole);
          take_edge_away(rest[searched(*end.alphas, set)], edges[k]);
          const double without = score(end, rest);
          if (!least_missed || without >= least_missed->first) least_missed = {without, k};
        }
        dropped_.drop_edge(edges[least_missed->second]);
        edges.erase(edges.begin() + static_cast<std::ptrdiff_t>(least_missed->second));
      }
    }
  }
}

NamedTensors Perturbation::save() const {
  NamedTensors state = dropped_.save();
  state["taken"] = at::scalar_tensor(taken_, at::kLong);
  return state;
}

void Perturbation::load(const NamedTensors& state) {
  const auto found = state.find("taken");
  if (found == state.end() || found->second.scalar_type() != at::kLong || found->second.numel() != 1 ||
      found->second.item<std::int64_t>() < 0 || found->second.item<std::int64_t>() > decisions())
    throw Error(ErrorCode::bad_data,
                "the schedule perturbation finds no number 'taken' of its decisions in its state; was it written by another "
                "version of a plugin?");
  taken_ = found->second.item<std::int64_t>();
  dropped_.load(state, "perturbation");
}

}  // namespace mixop::strategies
