#include "host/runtime/recurrent/cells.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "host/runtime/recurrent/dropout.hpp"
#include "host/runtime/recurrent/highway.hpp"

namespace mixop {
namespace {

constexpr double kInitialRange = 0.04;

OperatorInstance activation(const OperatorCatalog& operators, const std::string& name, std::int64_t width) {
  OperatorInstance made(operators.find_operator(name, Domain::recurrent), name, {width, width, 1, /*affine=*/false}, {},
                        "plugin " + operators.plugin_of(name, Domain::recurrent));
  for (const StateEntry& entry : made.state())
    throw Error(ErrorCode::usage,
                "operator '" + name + "' has the tensor '" + entry.name +
                    "', and the recurrent cell takes activations without state; leave it out of space.ops");
  return made;
}

/// The gate c and the candidate h of a product [..., 2 * width].
struct Halves {
  at::Tensor gate, candidate;
};

Halves halves(const at::Tensor& product) {
  const std::int64_t width = product.size(-1) / 2;
  return {product.narrow(-1, 0, width).sigmoid(), product.narrow(-1, width, width)};
}

at::Tensor mean_of(const std::vector<at::Tensor>& states, const std::vector<int>& outputs) {
  std::vector<at::Tensor> chosen;
  for (const int node : outputs) chosen.push_back(states[static_cast<std::size_t>(node)]);
  return at::stack(chosen).mean(0);
}

int node_count(const Cell& cell) {
  int last = 0;
  for (const Edge& edge : cell.edges) last = std::max(last, edge.to);
  return last;
}

class SearchCell final : public RecurrentCell {
 public:
  SearchCell(const Cell& cell, const LanguageModel& model, const OperatorCatalog& operators, const Target& target,
             Execution execution)
      : RecurrentCell(cell.name, model.width, node_count(cell), target),
        outputs_(cell.output),
        running_statistics_(model.running_statistics),
        nodes_(static_cast<std::size_t>(node_count(cell))) {
    if (model.node_norm) norm_ = Module(Structure().name("bn").batch_norm(model.width, /*affine=*/false), target);
    const auto& candidates = std::get<Choice>(cell.edges.front().does).candidates;
    for (std::size_t k = 0; k < candidates.size(); ++k) {
      OperatorInstance made = activation(operators, candidates[k], model.width);
      if (made.structure() && made.structure()->is_only(StageKind::zero)) continue;
      activations_.push_back(std::move(made));
      columns_.push_back(k);
    }
    if (execution == Execution::fused && target.device.is_cpu() &&
        (target.type == at::kFloat || target.type == at::kDouble))
      kernel_activations_ = kernel_activations(activations_);
    std::vector<std::int64_t> columns(columns_.begin(), columns_.end());
    index_ = at::tensor(columns, at::TensorOptions(at::kLong)).to(target.device);
    for (const Edge& edge : cell.edges) {
      Node& node = nodes_[static_cast<std::size_t>(edge.to) - 1];
      node.from.push_back(edge.from);
      node.rows.push_back(std::get<Choice>(edge.does).alphas);
    }
  }

  std::vector<StateEntry> state() const override {
    std::vector<StateEntry> entries = RecurrentCell::state();
    for (const StateEntry& entry : norm_.state())
      entries.push_back({joined_name(name(), entry.name), entry.tensor, entry.kind});
    return entries;
  }

 protected:
  at::Tensor nodes(const at::Tensor& initial, CellPass& pass) const override {
    if (pass.node_weights.empty())
      for (const Node& node : nodes_) pass.node_weights.push_back(weights_of(node, pass.relaxed));
    std::vector<at::Tensor> states{normalised(initial, pass.how)};
    for (std::size_t node = 0; node < nodes_.size(); ++node)
      states.push_back(normalised(value_of(node, states, pass), pass.how));
    return mean_of(states, outputs_);
  }

 private:
  struct Node {
    std::vector<int> from;
    std::vector<AlphaRef> rows;  // of the edges from those
  };

  at::Tensor normalised(const at::Tensor& x, const Forward& how) const {
    if (norm_.empty()) return x;
    if (how.training || running_statistics_) return norm_.forward(x, how);
    return norm_.forward(x, {.training = true, .update_statistics = false, .key = how.key});
  }

  at::Tensor weights_of(const Node& node, RelaxedRows& relaxed) const {
    std::vector<at::Tensor> rows;
    for (const AlphaRef& ref : node.rows) rows.push_back(relaxed.weights(ref));
    return at::stack(rows).index_select(1, index_).unsqueeze(-1).unsqueeze(-1);
  }

  at::Tensor value_of(std::size_t index, const std::vector<at::Tensor>& states, CellPass& pass) const {
    const Node& node = nodes_[index];
    std::vector<at::Tensor> sources;
    for (const int source : node.from) sources.push_back(states[static_cast<std::size_t>(source)]);
    const at::Tensor from = at::stack(sources), matrix = RecurrentCell::weights(static_cast<int>(index));
    const at::Tensor product =
        masked(from, pass.hidden_mask).flatten(0, 1).mm(matrix).view({from.size(0), from.size(1), -1});
    const at::Tensor& weights = pass.node_weights[index];
    const bool all = std::all_of(node.rows.begin(), node.rows.end(),
                                 [&](const AlphaRef& ref) { return pass.relaxed.all_active(ref); });
    if (!all) return drawn(node, from, halves(product), weights, pass);
    if (kernel_activations_ && from.scalar_type() == product.scalar_type())
      return highway_sum(from, product, weights.flatten(1), *kernel_activations_);
    return mixed(from, halves(product), weights, pass.how);
  }

  /// Sum over sources j and activations k of p_jk (s_j + c_j (f_k(h_j) - s_j)), as lerp(P_j s_j, sum_k p_jk f_k(h_j),
  /// c_j) with P_j = sum_k p_jk. `states` is [sources, N, width], `weights` [sources, operations, 1, 1].
  at::Tensor mixed(const at::Tensor& states, const Halves& product, const at::Tensor& weights,
                   const Forward& how) const {
    at::Tensor sum;
    for (std::size_t k = 0; k < activations_.size(); ++k) {
      const at::Tensor value = activations_[k].forward(product.candidate, how);
      const at::Tensor weight = weights.select(1, static_cast<std::int64_t>(k));
      sum = sum.defined() ? sum.addcmul(value, weight) : value.mul(weight);
    }
    return at::lerp(states.mul(weights.sum(1)), sum, product.gate).sum(0);
  }

  /// The same over the active operations alone.
  at::Tensor drawn(const Node& node, const at::Tensor& states, const Halves& product, const at::Tensor& weights,
                   CellPass& pass) const {
    at::Tensor sum;
    for (std::size_t j = 0; j < node.rows.size(); ++j)
      for (std::size_t k = 0; k < activations_.size(); ++k) {
        if (!pass.relaxed.is_active(node.rows[j], columns_[k])) continue;
        const auto row = static_cast<std::int64_t>(j);
        const at::Tensor value = activations_[k].forward(product.candidate[row], pass.how);
        const at::Tensor term =
            at::lerp(states[row], value, product.gate[row]).mul(weights[row][static_cast<std::int64_t>(k)]);
        sum = sum.defined() ? sum.add(term) : term;
      }
    return sum.defined() ? sum : at::zeros_like(states[0]);
  }

  std::vector<int> outputs_;
  bool running_statistics_;
  std::vector<Node> nodes_;
  std::vector<OperatorInstance> activations_;
  std::optional<std::vector<cpu::Activation>> kernel_activations_;  // where all of them run in one pass
  std::vector<std::size_t> columns_;  // of the activations among the candidates; `none` is not computed
  at::Tensor index_;                  // the same on the device
  Module norm_;
};

class DiscreteCell final : public RecurrentCell {
 public:
  DiscreteCell(const Cell& cell, const LanguageModel& model, const OperatorCatalog& operators, const Target& target)
      : RecurrentCell(cell.name, model.width, node_count(cell), target), outputs_(cell.output) {
    for (const Edge& edge : cell.edges)
      steps_.push_back({edge.from, edge.to, activation(operators, std::get<NamedOp>(edge.does).name, model.width)});
  }

 protected:
  at::Tensor nodes(const at::Tensor& initial, CellPass& pass) const override {
    std::vector<at::Tensor> states(steps_.size() + 1);
    states[0] = initial;
    for (const Step& step : steps_) {
      const at::Tensor& source = states[static_cast<std::size_t>(step.from)];
      const auto [gate, candidate] = halves(masked(source, pass.hidden_mask).mm(weights(step.to - 1)));
      states[static_cast<std::size_t>(step.to)] =
          at::lerp(source, step.activation.forward(candidate, pass.how), gate);
    }
    return mean_of(states, outputs_);
  }

 private:
  struct Step {
    int from, to;
    OperatorInstance activation;
  };
  std::vector<Step> steps_;
  std::vector<int> outputs_;
};

}  // namespace

at::Tensor initial_weights(std::int64_t rows, std::int64_t columns, const Target& target) {
  const at::Tensor drawn = target.device.is_meta()
                               ? at::empty({rows, columns}, at::TensorOptions(target.type).device(target.device))
                               : at::empty({rows, columns})
                                     .uniform_(-kInitialRange, kInitialRange)
                                     .to(target.device, target.type);
  return drawn.set_requires_grad(true);
}

RecurrentCell::RecurrentCell(std::string name, std::int64_t width, int nodes, const Target& target)
    : name_(std::move(name)), width_(width), w0_(initial_weights(2 * width, 2 * width, target)) {
  for (int i = 0; i < nodes; ++i) ws_.push_back(initial_weights(width, 2 * width, target));
}

std::vector<StateEntry> RecurrentCell::state() const {
  std::vector<StateEntry> entries{{joined_name(name_, "_W0"), w0_}};
  for (std::size_t i = 0; i < ws_.size(); ++i)
    entries.push_back({joined_name(name_, "_Ws." + std::to_string(i)), ws_[i]});
  return entries;
}

at::Tensor RecurrentCell::step(const at::Tensor& projected, const at::Tensor& hidden, CellPass& pass) const {
  const at::Tensor read = masked(hidden, pass.hidden_mask);
  const auto [gate, candidate] = halves(at::addmm(projected, read, w0_.narrow(0, width_, width_)));
  return nodes(at::lerp(hidden, candidate.tanh(), gate), pass);
}

std::unique_ptr<RecurrentCell> make_search_cell(const Cell& cell, const LanguageModel& model,
                                                const OperatorCatalog& operators, const Target& target,
                                                Execution execution) {
  return std::make_unique<SearchCell>(cell, model, operators, target, execution);
}

std::unique_ptr<RecurrentCell> make_discrete_cell(const Cell& cell, const LanguageModel& model,
                                                  const OperatorCatalog& operators, const Target& target) {
  return std::make_unique<DiscreteCell>(cell, model, operators, target);
}

}  // namespace mixop
