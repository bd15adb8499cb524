#include "mixop/supernet/cells.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "mixop/random.hpp"
#include "mixop/supernet/layers.hpp"

namespace mixop::supernet {
namespace {

constexpr int kInputs = 2;

at::Tensor concatenated(const std::vector<at::Tensor>& states, const std::vector<int>& concat) {
  std::vector<at::Tensor> chosen;
  for (const int node : concat) chosen.push_back(states[static_cast<std::size_t>(node)]);
  return at::cat(chosen, 1);
}

const char* kind_of(const CellPlace& place) { return place.reduction ? "reduce" : "normal"; }

}  // namespace

NetworkPart output_layer(const ImageShape& node, std::size_t terms, std::size_t nodes, const std::vector<int>& concat) {
  NetworkPart layer{"output", "concat", node};
  for (const int chosen : concat) layer.kind += " " + std::to_string(chosen);
  layer.output.channels *= static_cast<std::int64_t>(concat.size());
  layer.own.activations =
      static_cast<std::int64_t>(terms - nodes) * numbers_of(node) + numbers_of(layer.output);  // a sum less than terms
  return layer;
}

std::string edge_name(int from, int to) { return std::to_string(from) + " -> " + std::to_string(to); }

std::int64_t stride_of(const CellPlace& place, int from) { return place.reduction && from < kInputs ? 2 : 1; }

at::Tensor drop_path(const at::Tensor& x, double probability, std::uint64_t key) {
  RandomStream stream(key);
  std::vector<float> mask(static_cast<std::size_t>(x.size(0)));
  for (float& value : mask) value = stream.uniform() < 1.0 - probability ? 1.0F : 0.0F;
  const at::Tensor factor = at::tensor(mask).to(x.options()).view({-1, 1, 1, 1});
  return x.div(1.0 - probability).mul(factor);
}

Preprocess::Preprocess(const CellPlace& place, bool affine)
    : older_(place.older.height > place.newer.height || place.older.width > place.newer.width
                 ? relu_reduce_norm("", place.older.channels, place.channels, affine)
                 : relu_conv_norm("", {.in = place.older.channels, .out = place.channels}, affine)),
      newer_(relu_conv_norm("", {.in = place.newer.channels, .out = place.channels}, affine)) {}

std::vector<at::Tensor> Preprocess::forward(const at::Tensor& older, const at::Tensor& newer,
                                            const Forward& how) const {
  return {older_.forward(older, how), newer_.forward(newer, how)};
}

void Preprocess::append_state(std::vector<StateEntry>& to, const std::string& prefix) const {
  supernet::append_state(to, prefix + "preprocess0.", older_.state());
  supernet::append_state(to, prefix + "preprocess1.", newer_.state());
}

ImageShape Preprocess::measure(const CellPlace& place, std::vector<NetworkPart>& layers) const {
  layers.push_back(part_of("preprocess0", "older input", older_, place.older));
  layers.push_back(part_of("preprocess1", "newer input", newer_, place.newer));
  return layers.back().output;
}

SearchCell::SearchCell(const CellTopology& topology, const CellPlace& place, const OperatorCatalog& operators,
                       const EdgeTransform& transform)
    : transform_(transform), preprocess_(place, /*affine=*/false), nodes_(topology.nodes), concat_(topology.concat) {
  part_.kind = kind_of(place);
  const ImageShape input = preprocess_.measure(place, part_.layers);
  const ImageShape node = strided(input, place.reduction ? 2 : 1);
  const std::int64_t channels = transform.operation_channels(place.channels);
  for (const auto& [from, to] : topology.edges) {
    Edge edge{from, to, stride_of(place, from), {}, {}};
    ImageShape shape = from < kInputs ? input : node;
    shape.channels = channels;
    NetworkPart mixed{"_ops." + std::to_string(edges_.size()), edge_name(from, to), strided(shape, edge.stride)};
    for (const std::string& name : topology.operations)
      mixed.layers.push_back(add_candidate(edge, Candidate(operators, name, {channels, edge.stride, /*affine=*/false}),
                                           shape, /*whole_state=*/channels == place.channels));
    mixed.layers.push_back({"sum", "weighted", mixed.output, {0, 0, numbers_of(mixed.output), {}}});
    part_.layers.push_back(std::move(mixed));
    edges_.push_back(std::move(edge));
  }
  part_.layers.push_back(output_layer(node, edges_.size(), static_cast<std::size_t>(nodes_), concat_));
  part_.output = part_.layers.back().output;
}

NetworkPart SearchCell::add_candidate(Edge& edge, Candidate candidate, const ImageShape& input, bool whole_state) {
  const std::size_t known = starts_.size(), start = start_of(edge.from, candidate);
  NetworkPart layer{"_ops." + std::to_string(edge.candidates.size()), candidate.name(), strided(input, edge.stride),
                    candidate.cost(input)};
  if (candidate.is_zero()) layer.own.activations = 0;
  if (start < known && whole_state) layer.own.activations -= starts_[start].shared.activations(input);
  edge.starts.push_back(start);
  edge.candidates.push_back(std::move(candidate));
  return layer;
}

std::size_t SearchCell::start_of(int from, const Candidate& candidate) {
  if (candidate.is_zero() || !SharedStart::exists(candidate)) return kAlone;
  for (std::size_t i = 0; i < starts_.size(); ++i)
    if (starts_[i].from == from && starts_[i].shared.admit(candidate)) return i;
  starts_.push_back({from, SharedStart(candidate)});
  return starts_.size() - 1;
}

at::Tensor SearchCell::run_candidate(const Edge& edge, std::size_t k, const at::Tensor& x, Started* started,
                                     const Forward& how) const {
  const Candidate& candidate = edge.candidates[k];
  if (started == nullptr || edge.starts[k] == kAlone) return candidate.forward(x, how);
  const SharedStart& shared = starts_[edge.starts[k]].shared;
  at::Tensor& start = (*started)[edge.starts[k]];
  if (!start.defined()) start = shared.forward(x, how);
  return candidate.chain().forward(start, how, shared.stages(how));
}

at::Tensor SearchCell::run_edge(const Edge& edge, const at::Tensor& x, const at::Tensor& weights, Started* started,
                                const Forward& how) const {
  std::vector<at::Tensor> outputs;
  std::vector<std::int64_t> columns;
  for (std::size_t k = 0; k < edge.candidates.size(); ++k) {
    if (edge.candidates[k].is_zero()) continue;
    outputs.push_back(run_candidate(edge, k, x, started, how));
    columns.push_back(static_cast<std::int64_t>(k));
  }
  return outputs.empty() ? edge.candidates.front().forward(x, how) : weighted_sum(weights, outputs, columns);
}

at::Tensor SearchCell::forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor& weights,
                               const Pass& pass, std::uint64_t) const {
  std::vector<at::Tensor> states = preprocess_.forward(older, newer, pass);
  states.resize(static_cast<std::size_t>(kInputs + nodes_));
  const std::vector<at::Tensor> rows = weights.unbind();
  Started started(starts_.size());
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const Edge& edge = edges_[e];
    const at::Tensor& state = states[static_cast<std::size_t>(edge.from)];
    const at::Tensor y = transform_.forward(state, edge.stride, [&](const at::Tensor& x) {
      return run_edge(edge, x, rows[e], x.is_same(state) ? &started : nullptr, pass);
    });
    at::Tensor& node = states[static_cast<std::size_t>(edge.to)];
    node = node.defined() ? node.add(y) : y;
  }
  return concatenated(states, concat_);
}

void SearchCell::append_state(std::vector<StateEntry>& to, const std::string& prefix) const {
  preprocess_.append_state(to, prefix);
  for (std::size_t e = 0; e < edges_.size(); ++e)
    for (std::size_t k = 0; k < edges_[e].candidates.size(); ++k)
      supernet::append_state(to, prefix + "_ops." + std::to_string(e) + "._ops." + std::to_string(k) + ".",
                             edges_[e].candidates[k].state());
}

DiscreteCell::DiscreteCell(const CellGenotype& genotype, const CellPlace& place, const OperatorCatalog& operators)
    : preprocess_(place, /*affine=*/true), nodes_(0), concat_(genotype.concat) {
  part_.kind = kind_of(place);
  const ImageShape input = preprocess_.measure(place, part_.layers);
  const ImageShape node = strided(input, place.reduction ? 2 : 1);
  std::set<int> nodes;
  for (const Gene& gene : genotype.genes) {
    const std::int64_t stride = stride_of(place, gene.from);
    OperatorInstance operation(operators.find_operator(gene.operation, Domain::image), gene.operation,
                               {place.channels, stride, true});
    part_.layers.push_back({"_ops." + std::to_string(steps_.size()),
                            gene.operation + " " + edge_name(gene.from, gene.to), node,
                            operation.cost(gene.from < kInputs ? input : node)});
    nodes.insert(gene.to);
    steps_.push_back({gene.from, gene.to, std::move(operation)});
    nodes_ = std::max(nodes_, gene.to - kInputs + 1);
  }
  part_.layers.push_back(output_layer(node, steps_.size(), nodes.size(), concat_));
  part_.output = part_.layers.back().output;
}

at::Tensor DiscreteCell::forward(const at::Tensor& older, const at::Tensor& newer, const at::Tensor&, const Pass& pass,
                                 std::uint64_t key) const {
  std::vector<at::Tensor> states = preprocess_.forward(older, newer, pass);
  states.resize(static_cast<std::size_t>(kInputs + nodes_));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    at::Tensor y = step.operation.forward(states[static_cast<std::size_t>(step.from)], pass);
    const bool drops =
        pass.training && pass.drop_path > 0 && !is_only(step.operation.structure(), MIXOP_STAGE_IDENTITY);
    if (drops) y = drop_path(y, pass.drop_path, key_of({key, i}));
    at::Tensor& node = states[static_cast<std::size_t>(step.to)];
    node = node.defined() ? node.add(y) : y;
  }
  return concatenated(states, concat_);
}

void DiscreteCell::append_state(std::vector<StateEntry>& to, const std::string& prefix) const {
  preprocess_.append_state(to, prefix);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    supernet::append_state(to, prefix + "_ops." + std::to_string(i) + ".", steps_[i].operation.state());
}

}  // namespace mixop::supernet
