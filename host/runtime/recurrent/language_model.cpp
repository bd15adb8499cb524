#include "language_model.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "decoder.hpp"
#include "mixop/random.hpp"

namespace mixop::darts_rnn {
namespace {

constexpr double kInitialRange = 0.04;

// Draws of one pass that must not repeat each other.
enum Draw : std::uint64_t { kWords = 1, kEmbedding, kInput, kHidden, kOutput };

class LanguageModel final : public Network {
 public:
  LanguageModel(const ModelSpec& spec, std::unique_ptr<RecurrentCell> cell, std::vector<AlphaDeclaration> alphas)
      : spec_(spec),
        cell_(std::move(cell)),
        alphas_(std::move(alphas)),
        embedding_(at::empty({spec.words, spec.width}).uniform_(-kInitialRange, kInitialRange).set_requires_grad(true)),
        bias_(at::zeros({spec.words}).set_requires_grad(true)) {
    state_.push_back({"encoder.weight", embedding_});
    for (const StateEntry& entry : cell_->state()) state_.push_back(entry);
    state_.push_back({"decoder.weight", embedding_});
    state_.push_back({"decoder.bias", bias_});
    const std::int64_t matrix = spec.words * spec.width;  // the decoder's as well
    parts_.push_back({"encoder", "embedding", {spec.width, 1, 1}, {matrix, 0, spec.width, {}}});
    parts_.push_back(cell_->part());
    parts_.push_back({"decoder", "tied linear", {spec.words, 1, 1}, {spec.words, matrix, spec.words, {}}});
  }

  const std::vector<StateEntry>& state() const override { return state_; }
  const std::vector<AlphaDeclaration>& alphas() const override { return alphas_; }
  const std::vector<NetworkPart>& parts() const override { return parts_; }

  Outcome loss(const EdgeWeights& edges, const Batch& batch, const RecurrentState& state, const Pass& pass) override {
    const std::int64_t time = batch.input.size(0), columns = batch.input.size(1), width = spec_.width;
    const auto mask = [&](at::IntArrayRef shape, double probability, Draw draw) {
      return pass.training ? dropout_mask(shape, probability, key_of({pass.key, draw}), embedding_) : at::Tensor();
    };
    const at::Tensor words = masked(embedding_, mask({spec_.words, 1}, spec_.dropouts.words, kWords));
    at::Tensor input = at::embedding(words, batch.input);
    input = masked(input, mask({1, columns, width}, spec_.dropouts.embedding, kEmbedding));
    input = masked(input, mask({1, columns, width}, spec_.dropouts.input, kInput));
    const std::vector<at::Tensor> projected =
        input.flatten(0, 1).mm(cell_->input_weights()).view({time, columns, 2 * width}).unbind();

    const CellPass cell_pass{pass, mask({columns, width}, spec_.dropouts.hidden, kHidden),
                             edges.empty() ? at::Tensor() : edges.front()};
    at::Tensor hidden =
        state.empty() ? at::zeros({columns, width}, embedding_.options().requires_grad(false)) : state[0];
    std::vector<at::Tensor> outputs;
    for (const at::Tensor& word : projected) {
      hidden = cell_->step(word, hidden, cell_pass);
      outputs.push_back(hidden);
    }
    const at::Tensor raw = at::stack(outputs);
    const at::Tensor dropped = masked(raw, mask({1, columns, width}, spec_.dropouts.output, kOutput));

    Outcome outcome;
    outcome.loss = decoder_loss(dropped.flatten(0, 1), embedding_, bias_, batch.target.flatten());
    if (pass.penalties) outcome.penalty = penalty(raw, dropped);
    if (outcome.penalty.defined()) outcome.loss = outcome.loss + outcome.penalty;
    if (pass.trace != nullptr) {
      pass.trace->push_back(raw);
      outcome.output = at::linear(dropped, embedding_, bias_);
    }
    outcome.next = {hidden.detach()};
    return outcome;
  }

 private:
  /// Activation regularisation and temporal activation regularisation (Merity et al. 2018, section 4.3).
  at::Tensor penalty(const at::Tensor& raw, const at::Tensor& dropped) const {
    at::Tensor sum;
    const auto add = [&](double weight, const at::Tensor& term) {
      sum = sum.defined() ? sum + weight * term : weight * term;
    };
    if (spec_.activation_l2 != 0) add(spec_.activation_l2, dropped.square().mean());
    if (spec_.slowness != 0 && raw.size(0) > 1)
      add(spec_.slowness, (raw.slice(0, 1) - raw.slice(0, 0, -1)).square().mean());
    return sum;
  }

  ModelSpec spec_;
  std::unique_ptr<RecurrentCell> cell_;
  std::vector<AlphaDeclaration> alphas_;
  at::Tensor embedding_, bias_;
  std::vector<StateEntry> state_;
  std::vector<NetworkPart> parts_;
};

}  // namespace

std::unique_ptr<Network> make_language_model(const ModelSpec& spec, std::unique_ptr<RecurrentCell> cell,
                                             std::vector<AlphaDeclaration> alphas) {
  return std::make_unique<LanguageModel>(spec, std::move(cell), std::move(alphas));
}

}  // namespace mixop::darts_rnn
