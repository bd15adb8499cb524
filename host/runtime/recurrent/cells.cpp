#include "cells.hpp"

#include <ATen/ATen.h>

namespace mixop::darts_rnn {
namespace {

constexpr double kInitialRange = 0.04;

at::Tensor initial_weights(std::int64_t rows, std::int64_t columns) {
  return at::empty({rows, columns}).uniform_(-kInitialRange, kInitialRange).set_requires_grad(true);
}

OperatorInstance activation(const OperatorCatalog& operators, const std::string& name, std::int64_t width) {
  OperatorInstance made(operators.find_operator(name, Domain::recurrent), name, {width, 1, /*affine=*/false});
  for (const StateEntry& entry : made.state())
    throw Error(ErrorCode::usage,
                "operator '" + name + "' has the tensor '" + entry.name +
                    "', and the recurrent cell takes activations without state; leave it out of space.ops");
  return made;
}

ImageShape vector_of(std::int64_t width) { return {width, 1, 1}; }

/// The gate c and the candidate h of a product [..., 2 * width].
struct Halves {
  at::Tensor gate, candidate;
};

Halves halves(const at::Tensor& product) {
  const std::int64_t width = product.size(-1) / 2;
  return {product.narrow(-1, 0, width).sigmoid(), product.narrow(-1, width, width)};
}

class SearchCell final : public RecurrentCell {
 public:
  SearchCell(const CellTopology& topology, std::int64_t width, const OperatorCatalog& operators,
             bool running_statistics)
      : RecurrentCell(width, topology.nodes),
        nodes_(topology.nodes),
        outputs_(topology.concat),
        running_statistics_(running_statistics),
        norm_("rnns.0.") {
    norm_.name("bn").batch_norm(width, /*affine=*/false);
    for (std::size_t k = 0; k < topology.operations.size(); ++k) {
      if (topology.operations[k] == "none") continue;
      activations_.push_back(activation(operators, topology.operations[k], width));
      columns_.push_back(static_cast<std::int64_t>(k));
    }
  }

  std::vector<StateEntry> state() const override {
    std::vector<StateEntry> entries = RecurrentCell::state();
    entries.insert(entries.end(), norm_.state().begin(), norm_.state().end());
    return entries;
  }

 protected:
  std::size_t outputs() const override { return outputs_.size(); }
  /// Of every source the state read, its product and gate, every activation and the sum so far, the scaled state and
  /// their mean; then the sum of the sources and its norm.
  NetworkPart node_layer(int node) const override {
    const std::int64_t sources = node + 1, count = static_cast<std::int64_t>(activations_.size());
    NetworkPart layer{"", "mixed, " + std::to_string(sources) + " sources", vector_of(width())};
    layer.own.multiply_adds = sources * 2 * width() * width();
    layer.own.activations = sources * width() * (6 + 2 * count) + 2 * width();
    return layer;
  }
  at::Tensor nodes(const at::Tensor& initial, const CellPass& pass) const override {
    const Forward norm = normalisation(pass.how);
    std::vector<at::Tensor> states{norm_.forward(initial, norm)};
    const at::Tensor chosen = pass.edge_weights.index_select(1, at::tensor(columns_).to(pass.edge_weights.device()));
    std::int64_t edge = 0;
    for (int node = 0; node < nodes_; ++node) {
      const std::int64_t sources = node + 1;
      const at::Tensor rows = chosen.narrow(0, edge, sources).unsqueeze(-1).unsqueeze(-1);
      states.push_back(norm_.forward(mixed(at::stack(states), rows, weights(node), pass), norm));
      edge += sources;
    }
    std::vector<at::Tensor> outputs;
    for (const int node : outputs_) outputs.push_back(states[static_cast<std::size_t>(node)]);
    return at::stack(outputs).mean(0);
  }

 private:
  Forward normalisation(const Forward& how) const {
    if (how.training || running_statistics_) return how;
    return {.training = true, .update_statistics = false, .key = how.key};
  }
  /// Sum over sources j and activations k of p_jk (s_j + c_j (f_k(h_j) - s_j)), as lerp(P_j s_j, sum_k p_jk f_k(h_j),
  /// c_j) with P_j = sum_k p_jk. `states` is [sources, N, width], `rows` [sources, operations, 1, 1].
  at::Tensor mixed(const at::Tensor& states, const at::Tensor& rows, const at::Tensor& matrix,
                   const CellPass& pass) const {
    const at::Tensor product =
        masked(states, pass.hidden_mask).flatten(0, 1).mm(matrix).view({states.size(0), states.size(1), -1});
    const auto [gate, candidate] = halves(product);
    at::Tensor sum;
    for (std::size_t k = 0; k < activations_.size(); ++k) {
      const at::Tensor value = activations_[k].forward(candidate, pass.how);
      const at::Tensor weight = rows.select(1, static_cast<std::int64_t>(k));
      sum = sum.defined() ? sum.addcmul(value, weight) : value.mul(weight);
    }
    return at::lerp(states.mul(rows.sum(1)), sum, gate).sum(0);
  }

  static at::Tensor masked(const at::Tensor& states, const at::Tensor& mask) {
    return mask.defined() ? states.mul(mask) : states;
  }

  int nodes_;
  std::vector<int> outputs_;
  bool running_statistics_;
  std::vector<OperatorInstance> activations_;
  std::vector<std::int64_t> columns_;
  Chain norm_;
};

class DiscreteCell final : public RecurrentCell {
 public:
  DiscreteCell(const CellGenotype& genotype, std::int64_t width, const OperatorCatalog& operators)
      : RecurrentCell(width, static_cast<int>(genotype.genes.size())), outputs_(genotype.concat) {
    for (const Gene& gene : genotype.genes) steps_.push_back({gene.from, activation(operators, gene.operation, width)});
  }

 protected:
  std::size_t outputs() const override { return outputs_.size(); }
  /// The product, its gate, the activation and the mean of that and the source.
  NetworkPart node_layer(int node) const override {
    const Step& step = steps_[static_cast<std::size_t>(node)];
    NetworkPart layer{"", step.activation.name() + " " + std::to_string(step.from) + " -> " + std::to_string(node + 1),
                      vector_of(width())};
    layer.own.multiply_adds = 2 * width() * width();
    layer.own.activations = 5 * width();
    return layer;
  }
  at::Tensor nodes(const at::Tensor& initial, const CellPass& pass) const override {
    std::vector<at::Tensor> states{initial};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const at::Tensor& source = states[static_cast<std::size_t>(steps_[i].from)];
      const at::Tensor read = pass.hidden_mask.defined() ? source.mul(pass.hidden_mask) : source;
      const auto [gate, candidate] = halves(read.mm(weights(static_cast<int>(i))));
      states.push_back(at::lerp(source, steps_[i].activation.forward(candidate, pass.how), gate));
    }
    std::vector<at::Tensor> outputs;
    for (const int node : outputs_) outputs.push_back(states[static_cast<std::size_t>(node)]);
    return at::stack(outputs).mean(0);
  }

 private:
  struct Step {
    int from;
    OperatorInstance activation;
  };
  std::vector<Step> steps_;
  std::vector<int> outputs_;
};

}  // namespace

RecurrentCell::RecurrentCell(std::int64_t width, int nodes)
    : width_(width), w0_(initial_weights(2 * width, 2 * width)) {
  for (int i = 0; i < nodes; ++i) ws_.push_back(initial_weights(width, 2 * width));
}

std::vector<StateEntry> RecurrentCell::state() const {
  std::vector<StateEntry> entries{{"rnns.0._W0", w0_}};
  for (std::size_t i = 0; i < ws_.size(); ++i) entries.push_back({"rnns.0._Ws." + std::to_string(i), ws_[i]});
  return entries;
}

NetworkPart RecurrentCell::part() const {
  NetworkPart cell{"rnns.0", "recurrent", vector_of(width_)};
  // The products with word and state, gate, candidate and their mean.
  cell.layers.push_back({"_W0", "highway", vector_of(width_), {w0_.numel(), 4 * width_ * width_, 7 * width_, {}}});
  for (int i = 0; i < static_cast<int>(ws_.size()); ++i) {
    NetworkPart layer = node_layer(i);
    layer.name = "_Ws." + std::to_string(i);
    layer.own.parameters = weights(i).numel();
    cell.layers.push_back(std::move(layer));
  }
  const auto kept = static_cast<std::int64_t>(outputs());
  cell.layers.push_back({"output", "mean of nodes", vector_of(width_), {0, 0, (kept + 1) * width_, {}}});
  return cell;
}

at::Tensor RecurrentCell::step(const at::Tensor& projected, const at::Tensor& hidden, const CellPass& pass) const {
  const at::Tensor read = pass.hidden_mask.defined() ? hidden.mul(pass.hidden_mask) : hidden;
  const auto [gate, candidate] = halves(at::addmm(projected, read, w0_.narrow(0, width_, width_)));
  return nodes(at::lerp(hidden, candidate.tanh(), gate), pass);
}

std::unique_ptr<RecurrentCell> make_search_cell(const CellTopology& topology, std::int64_t width,
                                                const OperatorCatalog& operators, bool running_statistics) {
  return std::make_unique<SearchCell>(topology, width, operators, running_statistics);
}

std::unique_ptr<RecurrentCell> make_discrete_cell(const CellGenotype& genotype, std::int64_t width,
                                                  const OperatorCatalog& operators) {
  return std::make_unique<DiscreteCell>(genotype, width, operators);
}

}  // namespace mixop::darts_rnn
