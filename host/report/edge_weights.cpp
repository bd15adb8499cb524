#include "host/report/edge_weights.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>

#include "host/graph/edge_rule.hpp"
#include "host/search/archived_run.hpp"
#include "host/search/run_check.hpp"
#include "host/search/search.hpp"
#include "host/search/stored_tensor.hpp"

namespace mixop {
namespace {

/// The alphas of one row, and how they were relaxed.
struct Row {
  const Relaxation& relaxation;
  const std::vector<AlphaSet>& sets;
  std::vector<at::Tensor> alphas;
  SearchPosition at;
  DroppedOperations dropped;
};

std::vector<at::Tensor> mean_of_draws(const Row& row) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> sums;
  for (std::uint64_t key = 1; key <= kDraws; ++key) {
    const std::vector<Relaxed> draw =
        relax(row.relaxation, row.sets, row.alphas, {row.at, Phase::train, key}, row.dropped);
    for (std::size_t set = 0; set < draw.size(); ++set) {
      const at::Tensor weights = draw[set].weights.to(at::kCPU, at::kDouble);
      key == 1 ? sums.push_back(weights.clone()) : static_cast<void>(sums[set].add_(weights));
    }
  }
  for (at::Tensor& sum : sums) sum.div_(kDraws);
  return sums;
}

/// Whether training sees other weights than derivation.
bool draws(const Row& row, const std::vector<at::Tensor>& rest) {
  const at::NoGradGuard no_grad;
  const std::vector<Relaxed> draw =
      relax(row.relaxation, row.sets, row.alphas, {row.at, Phase::train, /*key=*/1}, row.dropped);
  for (std::size_t set = 0; set < rest.size(); ++set)
    if (!at::equal(draw[set].weights.to(at::kCPU, at::kFloat), rest[set])) return true;
  return false;
}

void append(std::vector<float>& values, const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kCPU, at::kFloat).contiguous();
  values.insert(values.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
}

}  // namespace

std::vector<EdgeWeights> edge_weights(const Archive& archive, const Application& application) {
  const Config config = archived_config(archive, application.catalog);
  const auto space = make_part<SearchSpace>(application.plugins, config.space.name, options_of(config));
  const std::vector<StrategyChange> changes = strategy_changes(archive);
  const auto rule = make_part<EdgeRule>(application.plugins, changes.front().parts);  // which no change exchanges
  const std::vector<AlphaSet> sets =
      with_rule(space->search(alphas_config(config.space, *space)), rule_of(*rule)).alphas;
  check_alphas(archive, sets);

  std::vector<EdgeWeights> all;
  std::vector<at::Tensor> stored;
  for (const AlphaSet& set : sets) {
    all.push_back({set.name, {}, {}});
    stored.push_back(get_tensor(archive, archive_path("/alphas", set.name)).to(at::kFloat));
  }
  std::map<std::size_t, Part<Relaxation>> made;
  bool any_draws = false;
  const std::int64_t rows = stored.front().size(0);
  for (std::int64_t epoch = 0; epoch < rows; ++epoch) {
    const std::size_t change = in_force(changes, epoch);
    Part<Relaxation>& relaxation = made[change];
    if (!relaxation) relaxation = make_part<Relaxation>(application.plugins, changes[change].parts);
    Row row{*relaxation, sets, {}, derived_at(epoch, config.search.epochs), dropped_operations(archive, sets, epoch)};
    for (const at::Tensor& alphas : stored) row.alphas.push_back(alphas[epoch].clone());
    const std::vector<at::Tensor> rest = relaxed_for_derivation(*relaxation, sets, row.alphas, row.at, row.dropped);
    const bool own = draws(row, rest);
    any_draws = any_draws || own;
    const std::vector<at::Tensor> training = own ? mean_of_draws(row) : rest;
    for (std::size_t set = 0; set < sets.size(); ++set) {
      append(all[set].rest, rest[set]);
      append(all[set].training, training[set]);
    }
  }
  if (!any_draws)
    for (EdgeWeights& set : all) set.training.clear();
  return all;
}

}  // namespace mixop
