#include "mixop/supernet/image_network.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "mixop/random.hpp"

namespace mixop::supernet {
namespace {

class ImageNetwork final : public Network {
 public:
  ImageNetwork(const ImageNetworkSpec& spec, const CellMaker& make_cell, std::vector<AlphaDeclaration> alphas)
      : space_(spec.space),
        alphas_(std::move(alphas)),
        stem_(space_.stem, space_.input, space_.channels, spec.stem_halvings),
        auxiliary_after_(spec.auxiliary_after) {
    parts_.push_back(stem_.part());
    std::optional<NetworkPart> head;
    CellPlace place{stem_.older(), stem_.newer(), space_.channels};
    for (std::size_t i = 0; i < spec.reductions.size(); ++i) {
      place.reduction = spec.reductions[i];
      if (place.reduction) place.channels *= 2;
      cells_.push_back(make_cell(i, place));
      parts_.push_back(cells_.back()->part());
      parts_.back().name = "cells." + std::to_string(i);
      place.older = place.newer;
      place.newer = parts_.back().output;
      if (!space_.auxiliary || i != auxiliary_after_) continue;
      auxiliary_ = auxiliary_head(place.newer, space_.classes,
                                  {stem_.reduces(), spec.auxiliary_norm || !stem_.reduces(), spec.auxiliary_fits});
      head = part_of("auxiliary_head", "after cells." + std::to_string(i), *auxiliary_, place.newer);
      head->training_only = true;
    }
    if (head) parts_.push_back(*head);
    add_classifier(place.newer, stem_.reduces() ? spec.imagenet_window : 0);
    collect_state();
  }

  const std::vector<StateEntry>& state() const override { return state_; }
  const std::vector<AlphaDeclaration>& alphas() const override { return alphas_; }
  const std::vector<NetworkPart>& parts() const override { return parts_; }

  Outcome loss(const EdgeWeights& edges, const Batch& batch, const RecurrentState&, const Pass& pass) override {
    auto [older, newer] = stem_.forward(laid_out(batch.input, space_.channels), pass);
    if (pass.trace != nullptr) pass.trace->push_back(newer);
    at::Tensor auxiliary;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const at::Tensor weights = alphas_.empty() ? at::Tensor() : edges[i];
      at::Tensor output = cells_[i]->forward(older, newer, weights, pass, key_of({pass.key, i}));
      if (pass.trace != nullptr) pass.trace->push_back(output);
      older = std::exchange(newer, std::move(output));
      if (auxiliary_ && pass.training && i == auxiliary_after_) auxiliary = auxiliary_->forward(newer, pass);
    }
    const at::Tensor logits = classifier_.forward(pooled(newer), pass);
    const double smoothing = pass.training ? space_.label_smoothing : 0;
    at::Tensor loss = cross_entropy(logits, batch.target, smoothing);
    if (auxiliary.defined()) loss = loss + space_.auxiliary_weight * cross_entropy(auxiliary, batch.target, smoothing);
    return {loss, logits, {}};
  }

 private:
  void add_classifier(ImageShape features, std::int64_t window) {
    if (window > 0) {
      window_ = {std::min(window, features.height), std::min(window, features.width)};
      features.height /= window_[0];
      features.width /= window_[1];
    } else {
      features.height = features.width = 1;
    }
    classifier_.name("classifier").linear(features.channels * features.height * features.width, space_.classes);
    parts_.push_back(part_of("classifier", "linear", classifier_, features));
    parts_.back().own.activations += numbers_of(features);  // of the pooling
  }
  at::Tensor pooled(const at::Tensor& features) const {
    return window_[0] > 0 ? at::avg_pool2d(features, window_) : at::adaptive_avg_pool2d(features, {1, 1});
  }
  void collect_state() {
    state_ = stem_.state();
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i]->append_state(state_, "cells." + std::to_string(i) + ".");
    if (auxiliary_) append_state(state_, "auxiliary_head.", auxiliary_->state());
    append_state(state_, "", classifier_.state());
  }

  SpaceConfig space_;
  std::vector<AlphaDeclaration> alphas_;
  Stem stem_;
  std::vector<std::unique_ptr<ImageCell>> cells_;
  std::size_t auxiliary_after_;
  std::optional<Chain> auxiliary_;
  Pair window_{0, 0};
  Chain classifier_;
  std::vector<StateEntry> state_;
  std::vector<NetworkPart> parts_;
};

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

}  // namespace

void check_config(const std::string& space, const SpaceConfig& config) {
  require(config.channels >= 2, "space.channels: expected at least 2, found " + std::to_string(config.channels));
  require(config.layers >= 1, "space.layers: expected at least 1, found " + std::to_string(config.layers));
  require(config.classes >= 2,
          space + " classifies images: expected at least 2 classes, found " + std::to_string(config.classes));
  require(std::min(config.input.height, config.input.width) >= 4,
          space + " needs images of at least 4 pixels a side, found " + std::to_string(config.input.height) + "x" +
              std::to_string(config.input.width));
}

std::unique_ptr<Network> make_image_network(const ImageNetworkSpec& spec, const CellMaker& make_cell,
                                            std::vector<AlphaDeclaration> alphas) {
  return std::make_unique<ImageNetwork>(spec, make_cell, std::move(alphas));
}

}  // namespace mixop::supernet
