#include <ATen/ATen.h>

#include "mixop/supernet/cells.hpp"
#include "mixop/supernet/layers.hpp"
#include "mixop/supernet/topology.hpp"
#include "networks.hpp"

namespace mixop::darts_cnn {
namespace {

using supernet::CellPlace;
using supernet::SearchCell;

class SearchNetwork final : public Network {
 public:
  SearchNetwork(const SpaceConfig& config, const OperatorCatalog& operators, const EdgeTransform& transform)
      : alphas_(declare_alphas(config)), channels_(config.channels), stem_(config.stem, config.input, config.channels) {
    cost_ = stem_.cost();
    CellPlace place{stem_.older(), stem_.newer(), config.channels};
    for (std::int64_t i = 0; i < config.layers; ++i) {
      place.reduction = is_reduction(i, config.layers);
      if (place.reduction) place.channels *= 2;
      cells_.emplace_back(alphas_[place.reduction ? 1 : 0].topology, place, operators, transform);
      cost_ += cells_.back().cost();
      place.older = place.newer;
      place.newer = cells_.back().output();
    }
    classifier_.name("classifier").linear(place.newer.channels, config.classes);
    classifier_.measure({place.newer.channels, 1, 1}, cost_);
    collect_state();
  }

  const std::vector<StateEntry>& state() const override { return state_; }
  const std::vector<AlphaDeclaration>& alphas() const override { return alphas_; }
  Cost cost() const override { return cost_; }
  std::int64_t auxiliary_parameters() const override { return 0; }

  Outcome loss(const EdgeWeights& edges, const Batch& batch, const RecurrentState&, const Pass& pass) override {
    auto [older, newer] = stem_.forward(supernet::laid_out(batch.input, channels_), pass);
    if (pass.trace != nullptr) pass.trace->push_back(newer);
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      at::Tensor output = cells_[i].forward(older, newer, edges[i], pass);
      if (pass.trace != nullptr) pass.trace->push_back(output);
      older = std::exchange(newer, std::move(output));
    }
    const at::Tensor logits = classifier_.forward(at::adaptive_avg_pool2d(newer, {1, 1}), pass);
    return {supernet::cross_entropy(logits, batch.target), logits, {}};
  }

 private:
  void collect_state() {
    state_ = stem_.state();
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i].append_state(state_, "cells." + std::to_string(i) + ".");
    supernet::append_state(state_, "", classifier_.state());
  }

  std::vector<AlphaDeclaration> alphas_;
  std::int64_t channels_;
  supernet::Stem stem_;
  std::vector<SearchCell> cells_;
  Chain classifier_;
  std::vector<StateEntry> state_;
  Cost cost_;
};

}  // namespace

std::vector<AlphaDeclaration> declare_alphas(const SpaceConfig& config) {
  std::vector<AlphaDeclaration> alphas;
  for (const bool reduction : {false, true}) {
    const std::string kind = reduction ? "reduce" : "normal";
    AlphaDeclaration declaration{
        "alphas_" + kind, supernet::dense_cell(kind, 2, static_cast<int>(config.nodes), config.operations), {}, false};
    for (std::int64_t i = 0; i < config.layers; ++i)
      if (is_reduction(i, config.layers) == reduction) declaration.cells.push_back(static_cast<int>(i));
    alphas.push_back(std::move(declaration));
  }
  return alphas;
}

std::unique_ptr<Network> make_search_network(const SpaceConfig& config, const OperatorCatalog& operators,
                                             const EdgeTransform& transform) {
  return std::make_unique<SearchNetwork>(config, operators, transform);
}

}  // namespace mixop::darts_cnn
