#include <ATen/ATen.h>

#include <optional>

#include "mixop/random.hpp"
#include "mixop/supernet/cells.hpp"
#include "mixop/supernet/layers.hpp"
#include "networks.hpp"

namespace mixop::darts_cnn {
namespace {

using supernet::CellPlace;
using supernet::DiscreteCell;

class DiscreteNetwork final : public Network {
 public:
  DiscreteNetwork(const SpaceConfig& config, const Genotype& genotype, const OperatorCatalog& operators)
      : channels_(config.channels),
        stem_(config.stem, config.input, config.channels),
        auxiliary_after_(2 * config.layers / 3),
        auxiliary_weight_(config.auxiliary_weight),
        label_smoothing_(config.label_smoothing) {
    cost_ = stem_.cost();
    CellPlace place{stem_.older(), stem_.newer(), config.channels};
    for (std::int64_t i = 0; i < config.layers; ++i) {
      place.reduction = is_reduction(i, config.layers);
      if (place.reduction) place.channels *= 2;
      cells_.emplace_back(*genotype.find(place.reduction ? "reduce" : "normal"), place, operators);
      cost_ += cells_.back().cost();
      place.older = place.newer;
      place.newer = cells_.back().output();
      if (config.auxiliary && i == auxiliary_after_)
        auxiliary_ = supernet::auxiliary_head(place.newer, config.classes, stem_.reduces());
    }
    classifier_.name("classifier").linear(place.newer.channels, config.classes);
    classifier_.measure({place.newer.channels, 1, 1}, cost_);
    collect_state();
  }

  const std::vector<StateEntry>& state() const override { return state_; }
  const std::vector<AlphaDeclaration>& alphas() const override { return no_alphas_; }
  Cost cost() const override { return cost_; }
  std::int64_t auxiliary_parameters() const override {
    return auxiliary_ ? supernet::count_parameters(auxiliary_->state()) : 0;
  }

  Outcome loss(const EdgeWeights&, const Batch& batch, const RecurrentState&, const Pass& pass) override {
    auto [older, newer] = stem_.forward(supernet::laid_out(batch.input, channels_), pass);
    at::Tensor auxiliary;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      at::Tensor output = cells_[i].forward(older, newer, pass, key_of({pass.key, i}));
      older = std::exchange(newer, std::move(output));
      if (auxiliary_ && pass.training && static_cast<std::int64_t>(i) == auxiliary_after_)
        auxiliary = auxiliary_->forward(newer, pass);
    }
    const at::Tensor logits = classifier_.forward(at::adaptive_avg_pool2d(newer, {1, 1}), pass);
    const double smoothing = pass.training ? label_smoothing_ : 0;
    at::Tensor loss = supernet::cross_entropy(logits, batch.target, smoothing);
    if (auxiliary.defined())
      loss = loss + auxiliary_weight_ * supernet::cross_entropy(auxiliary, batch.target, smoothing);
    return {loss, logits, {}};
  }

 private:
  void collect_state() {
    state_ = stem_.state();
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i].append_state(state_, "cells." + std::to_string(i) + ".");
    if (auxiliary_) supernet::append_state(state_, "auxiliary_head.", auxiliary_->state());
    supernet::append_state(state_, "", classifier_.state());
  }

  std::int64_t channels_;
  supernet::Stem stem_;
  std::vector<DiscreteCell> cells_;
  std::int64_t auxiliary_after_;
  double auxiliary_weight_;
  double label_smoothing_;
  std::optional<Chain> auxiliary_;
  Chain classifier_;
  std::vector<AlphaDeclaration> no_alphas_;
  std::vector<StateEntry> state_;
  Cost cost_;
};

}  // namespace

std::unique_ptr<Network> make_discrete_network(const SpaceConfig& config, const Genotype& genotype,
                                               const OperatorCatalog& operators) {
  return std::make_unique<DiscreteNetwork>(config, genotype, operators);
}

}  // namespace mixop::darts_cnn
