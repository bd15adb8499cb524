#include "host/runtime/plain_block.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "mixop/draws.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

bool is_identity(const std::optional<Structure>& structure) {
  return structure && structure->is_only(StageKind::identity);
}

at::Tensor sum_of(const at::Tensor& sum, const at::Tensor& term) { return sum.defined() ? sum.add(term) : term; }

}  // namespace

at::Tensor samples_that_stay(std::int64_t samples, double probability, std::uint64_t key, const at::Tensor& like) {
  const at::Tensor numbers = uniform_numbers({samples, 1, 1, 1}, key, at::empty({0}, like.options().dtype(at::kDouble)));
  return numbers.lt(1.0 - probability);
}

at::Tensor passing_channels(const at::Tensor& x, std::int64_t stride) {
  return stride == 1 ? x : at::max_pool2d(x, stride, stride, /*padding=*/0, /*dilation=*/1, /*ceil_mode=*/true);
}

at::Tensor drop_path(const at::Tensor& x, double probability, std::uint64_t key) {
  const at::Tensor stays = samples_that_stay(x.size(0), probability, key, x);
  return x.div(1.0 - probability).mul(stays.to(x.scalar_type()));
}

const at::Tensor& RelaxedRows::weights(const AlphaRef& ref) {
  const auto set = static_cast<std::size_t>(ref.set);
  Cut& cut = cut_[set];
  if (cut.cell != ref.cell) {
    const at::Tensor& all = relaxed_[set].weights;
    cut = {ref.cell, (sets_[set].per_cell ? all[ref.cell] : all).unbind()};
  }
  return cut.rows[static_cast<std::size_t>(ref.edge)];
}

at::Tensor RelaxedRows::edge(const AlphaRef& ref) const {
  const auto set = static_cast<std::size_t>(ref.set);
  const at::Tensor& all = relaxed_[set].edges;
  if (!all.defined()) return {};
  return (sets_[set].per_cell ? all[ref.cell] : all)[ref.edge];
}

bool RelaxedRows::is_active(const AlphaRef& ref, std::size_t operation) const {
  if (all_active(ref)) return true;
  const AlphaSet& set = sets_[static_cast<std::size_t>(ref.set)];
  const std::size_t edges = set.topology.edges.size(), operations = set.topology.operations.size();
  const std::size_t row = static_cast<std::size_t>(ref.cell) * edges + static_cast<std::size_t>(ref.edge);
  return relaxed_[static_cast<std::size_t>(ref.set)].active[row * operations + operation];
}

PlainBlock::PlainBlock(const Block& block, const OperatorCatalog& operators, const Target& target)
    : cell_(block.cell), nodes_(block.cell.inputs) {
  cell_.edges.clear();
  std::uint64_t operations = 0;
  for (const Edge& edge : block.cell.edges) {
    const std::string prefix = joined_name(cell_.name, edge.name);
    Step step{edge.from, edge.to, Module(), false, 0};
    if (const auto* structure = std::get_if<Structure>(&edge.does)) {
      Module module(*structure, target);
      add_state(prefix, module.state());
      step.does = std::move(module);
    } else {
      if (const auto* named = std::get_if<NamedOp>(&edge.does)) {
        OperatorInstance made(operators.find_operator(named->name, Domain::image), named->name, named->spec, target,
                              "plugin " + operators.plugin_of(named->name, Domain::image) + ", " + place_of(edge));
        add_state(prefix, made.state());
        step.drops = cell_.drop_path == DropPath::operations && !is_identity(made.structure());
        step.does = std::move(made);
      } else {
        step.does = mixed_of(edge, std::get<Choice>(edge.does), prefix, operators, target);
      }
      step.draw = operations++;
    }
    nodes_ = std::max(nodes_, edge.to + 1);
    if (edge.runs) steps_.push_back(std::move(step));
  }
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.to < b.to; });
}

std::string PlainBlock::place_of(const Edge& edge) const {
  return "edge " + joined_name(cell_.name, edge.name);
}

void PlainBlock::add_state(const std::string& prefix, const std::vector<StateEntry>& entries) {
  for (const StateEntry& entry : entries) state_.push_back({joined_name(prefix, entry.name), entry.tensor, entry.kind});
}

PlainBlock::Mixed PlainBlock::mixed_of(const Edge& edge, const Choice& choice, const std::string& prefix,
                                       const OperatorCatalog& operators, const Target& target) {
  Mixed mixed{choice.alphas, choice.spec, choice.channel_divisor, {}, {}, {}, {}};
  std::vector<std::int64_t> columns;
  for (std::size_t k = 0; k < choice.candidates.size(); ++k) {
    Candidate candidate(operators, choice.candidates[k], choice.spec, choice.pools_normalised, target, place_of(edge));
    add_state(prefix + "._ops." + std::to_string(k), candidate.state());
    mixed.starts.push_back(start_of(edge.from, candidate));
    if (!candidate.is_zero()) {
      mixed.counted.push_back(k);
      columns.push_back(static_cast<std::int64_t>(k));
    }
    mixed.candidates.push_back(std::move(candidate));
  }
  mixed.columns = at::tensor(columns, at::TensorOptions(at::kLong)).to(target.device);
  return mixed;
}

std::size_t PlainBlock::start_of(int from, const Candidate& candidate) {
  if (candidate.is_zero() || !SharedStart::exists(candidate)) return kAlone;
  for (std::size_t i = 0; i < starts_.size(); ++i)
    if (starts_[i].from == from && starts_[i].shared.admit(candidate)) return i;
  starts_.push_back({from, SharedStart(candidate)});
  return starts_.size() - 1;
}

at::Tensor PlainBlock::run_candidate(const Mixed& mixed, std::size_t k, const at::Tensor& x, Started* started,
                                     const Forward& how) const {
  const Candidate& candidate = mixed.candidates[k];
  if (started == nullptr || mixed.starts[k] == kAlone) return candidate.forward(x, how);
  const SharedStart& shared = starts_[mixed.starts[k]].shared;
  at::Tensor& start = (*started)[mixed.starts[k]];
  if (!start.defined()) start = shared.forward(x, how);
  return candidate.module().forward(start, how, shared.stages(how));
}

at::Tensor PlainBlock::run_mixed(const Mixed& mixed, const at::Tensor& x, RelaxedRows& relaxed, Started* started,
                                 const Forward& how) const {
  const at::Tensor& weights = relaxed.weights(mixed.alphas);
  std::vector<at::Tensor> outputs, chosen;
  for (const std::size_t k : mixed.counted) {
    if (!relaxed.is_active(mixed.alphas, k)) continue;
    outputs.push_back(run_candidate(mixed, k, x, started, how));
    chosen.push_back(weights[static_cast<std::int64_t>(k)]);
  }
  if (outputs.empty()) return Module(Structure().zero(mixed.spec.stride)).forward(x, how);
  const bool all = outputs.size() == mixed.counted.size();
  return weighted_sum(all ? weights.index_select(0, mixed.columns) : at::stack(chosen), outputs);
}

/// The candidates on the first channels, the others beside them.
at::Tensor PlainBlock::run_partly(const Mixed& mixed, const at::Tensor& x, RelaxedRows& relaxed,
                                  const Forward& how) const {
  const std::int64_t channels = x.size(1) / mixed.divisor;
  const at::Tensor y = run_mixed(mixed, x.narrow(1, 0, channels), relaxed, nullptr, how);
  at::Tensor others = passing_channels(x.narrow(1, channels, x.size(1) - channels), mixed.spec.stride);
  if (const at::Tensor edge = relaxed.edge(mixed.alphas); edge.defined()) others = others * edge;
  return at::channel_shuffle(at::cat({y, others}, 1), mixed.divisor);
}

at::Tensor PlainBlock::run(const Step& step, const at::Tensor& x, RelaxedRows& relaxed, Started& started,
                           const Pass& pass, std::uint64_t key) const {
  at::Tensor y;
  if (const auto* module = std::get_if<Module>(&step.does)) {
    y = module->forward(x, pass);
  } else if (const auto* operation = std::get_if<OperatorInstance>(&step.does)) {
    y = operation->forward(x, pass);
  } else {
    const Mixed& mixed = std::get<Mixed>(step.does);
    y = mixed.divisor == 1 ? run_mixed(mixed, x, relaxed, &started, pass) : run_partly(mixed, x, relaxed, pass);
  }
  const bool drops = step.drops && pass.training && pass.drop_path > 0;
  return drops ? drop_path(y, pass.drop_path, key_of({key, step.draw})) : y;
}

at::Tensor PlainBlock::forward(const std::vector<at::Tensor>& inputs, RelaxedRows& relaxed, const Pass& pass,
                               std::uint64_t key) const {
  std::vector<at::Tensor> nodes = inputs;
  nodes.resize(static_cast<std::size_t>(nodes_));
  Started started(starts_.size());
  const bool drops_nodes = cell_.drop_path == DropPath::nodes && pass.training && pass.drop_path > 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    at::Tensor& node = nodes[static_cast<std::size_t>(step.to)];
    node = sum_of(node, run(step, nodes[static_cast<std::size_t>(step.from)], relaxed, started, pass, key));
    const bool whole = i + 1 == steps_.size() || steps_[i + 1].to != step.to;
    const bool fixed = std::holds_alternative<Module>(step.does);
    if (drops_nodes && whole && !fixed)
      node = drop_path(node, pass.drop_path, key_of({key, static_cast<std::uint64_t>(step.to)}));
  }
  if (cell_.output.size() == 1) return nodes[static_cast<std::size_t>(cell_.output.front())];
  std::vector<at::Tensor> outputs;
  for (const int node : cell_.output) outputs.push_back(nodes[static_cast<std::size_t>(node)]);
  return at::cat(outputs, 1);
}

}  // namespace mixop
