#include "host/runtime/recurrent/language_model.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "host/runtime/recurrent/cells.hpp"
#include "host/runtime/recurrent/decoder.hpp"
#include "host/runtime/recurrent/dropout.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

// Draws of one pass that must not repeat each other.
enum Draw : std::uint64_t { kWords = 1, kEmbedding, kInput, kHidden, kOutput };

std::unique_ptr<RecurrentCell> cell_of(const NetworkGraph& graph, const OperatorCatalog& operators,
                                       const Target& target, Execution execution) {
  const Cell& cell = graph.blocks.front().cell;
  return graph.alphas.empty() ? make_discrete_cell(cell, *graph.language_model, operators, target)
                              : make_search_cell(cell, *graph.language_model, operators, target, execution);
}

class TiedLanguageModel final : public Network {
 public:
  TiedLanguageModel(const NetworkGraph& graph, const OperatorCatalog& operators, const Target& target,
                    Execution execution)
      : Network(graph),
        model_(*graph.language_model),
        cell_(cell_of(graph, operators, target, execution)),
        embedding_(initial_weights(model_.words, model_.width, target)),
        bias_(at::zeros({model_.words}, embedding_.options().requires_grad(false)).set_requires_grad(true)) {
    state_.push_back({"encoder.weight", embedding_});
    for (const StateEntry& entry : cell_->state()) state_.push_back(entry);
    state_.push_back({"decoder.weight", embedding_});
    state_.push_back({"decoder.bias", bias_});
  }

  const std::vector<StateEntry>& state() const override { return state_; }

  Outcome loss(const std::vector<Relaxed>& relaxed, const Batch& batch, const RecurrentState& state,
               const Pass& pass) override {
    const std::int64_t time = batch.input.size(0), columns = batch.input.size(1), width = model_.width;
    const auto mask = [&](at::IntArrayRef shape, double probability, Draw draw) {
      return pass.training ? dropout_mask(shape, probability, key_of({pass.key, draw}), embedding_) : at::Tensor();
    };
    const at::Tensor words = masked(embedding_, mask({model_.words, 1}, model_.dropout_words, kWords));
    at::Tensor input = at::embedding(words, batch.input);
    input = masked(input, mask({1, columns, width}, model_.dropout_embedding, kEmbedding));
    input = masked(input, mask({1, columns, width}, model_.dropout_input, kInput));
    const std::vector<at::Tensor> projected =
        input.flatten(0, 1).mm(cell_->input_weights()).view({time, columns, 2 * width}).unbind();

    RelaxedRows rows(alphas(), relaxed);
    CellPass cell_pass{pass, mask({columns, width}, model_.dropout_hidden, kHidden), rows};
    at::Tensor hidden =
        state.empty() ? at::zeros({columns, width}, embedding_.options().requires_grad(false)) : state[0];
    std::vector<at::Tensor> outputs;
    for (const at::Tensor& word : projected) {
      hidden = cell_->step(word, hidden, cell_pass);
      outputs.push_back(hidden);
    }
    const at::Tensor raw = at::stack(outputs);
    const at::Tensor dropped = masked(raw, mask({1, columns, width}, model_.dropout_output, kOutput));

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
    if (model_.activation_l2 != 0) add(model_.activation_l2, dropped.square().mean());
    if (model_.slowness != 0 && raw.size(0) > 1)
      add(model_.slowness, (raw.slice(0, 1) - raw.slice(0, 0, -1)).square().mean());
    return sum;
  }

  LanguageModel model_;
  std::unique_ptr<RecurrentCell> cell_;
  at::Tensor embedding_, bias_;
  std::vector<StateEntry> state_;
};

}  // namespace

std::unique_ptr<Network> compile_language_model(const NetworkGraph& graph, const OperatorCatalog& operators,
                                                const Target& target, Execution execution) {
  return std::make_unique<TiedLanguageModel>(graph, operators, target, execution);
}

}  // namespace mixop
