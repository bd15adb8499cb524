#include "host/runtime/fused/cell_run.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/sum_scales.hpp"
#include "host/runtime/fused/typed_run.hpp"

namespace mixop {

template <class T>
at::Tensor TypedRun<T>::forward(const std::vector<at::Tensor>& inputs, const CellFactors& factors,
                                const CellWants& wants, const Forward& how) {
  factors_ = factors;
  wants_ = wants;
  how_ = how;
  plan();
  for (std::size_t s = 0; s < nodes_.size(); ++s) {
    if (s < inputs.size())
      take_input(s, inputs[s]);
    else
      make_node(s);
    if (!keeps_) release_operations_behind(s);
    run_operations(s);
  }
  return joined();
}

template <class T>
void TypedRun<T>::plan() {
  for (std::size_t t = 0; t < program_.terms.size(); ++t) {
    if (!is_active(t)) continue;
    Operation& operation = operations_[program_.terms[t].operation];
    operation.active = true;
    operation.terms.push_back(t);
  }
  for (std::size_t s = 0; s < wants_.inputs.size(); ++s) nodes_[s].needed = wants_.inputs[s];
  keeps_ = wants_.weights || std::find(wants_.inputs.begin(), wants_.inputs.end(), true) != wants_.inputs.end() ||
           std::find(wants_.terms.begin(), wants_.terms.end(), true) != wants_.terms.end();
  // Operations come from earlier nodes than they go to, whatever their order in the program.
  for (std::size_t s = 0; s < nodes_.size(); ++s) {
    if (const auto* slice = source<CellProgram::Slice>(s)) nodes_[s].needed = node(slice->of).needed;
    if (const auto* two = source<CellProgram::Interleaved>(s))
      nodes_[s].needed = node(two->chosen).needed || node(two->passing).needed;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (from_of(i) != s || !operations_[i].active) continue;
      Operation& operation = operations_[i];
      const bool has_weights = !program_.operations[i].chain.empty() || program_.operations[i].own_code;
      operation.needed = nodes_[s].needed || (wants_.weights && has_weights);
      for (const std::size_t t : operation.terms) operation.needed = operation.needed || wants_.terms[t];
      for (const std::size_t t : operation.terms) {
        Node& to = nodes_[static_cast<std::size_t>(program_.terms[t].to)];
        to.needed = to.needed || operation.needed;
      }
    }
  }
}

template <class T>
void TypedRun<T>::take_input(std::size_t s, const at::Tensor& input) {
  inputs_.push_back(dense(input));
  nodes_[s].maps = maps_of<T>(inputs_.back());
}

template <class T>
void TypedRun<T>::make_node(std::size_t s) {
  if (const auto* slice = source<CellProgram::Slice>(s)) {
    const Maps<T>& from = node(slice->of).maps;
    take_channels(from, slice->first, nodes_[s].maps, /*adds=*/false, make_maps(nodes_[s], from, slice->channels));
  } else if (const auto* two = source<CellProgram::Interleaved>(s)) {
    const Maps<T>& one = node(two->chosen).maps;
    interleave(one, node(two->passing).maps, two->divisor, make_maps(nodes_[s], one, one.channels * two->divisor));
  } else {
    sum_node(s);
  }
}

template <class T>
T* TypedRun<T>::make_maps(Node& node, const Maps<T>& like, std::int64_t channels) {
  node.maps = {nullptr, like.images, like.height, like.width, channels};
  node.memory = scratch<T>(pool_, like.images * node.maps.numbers(), k_.period(channels));
  node.maps.data = node.memory.data();
  return node.memory.data();
}

template <class T>
void TypedRun<T>::sum_node(std::size_t s) {
  Node& node = nodes_[s];
  std::vector<std::size_t> terms;
  for (std::size_t t = 0; t < program_.terms.size(); ++t)
    if (program_.terms[t].to == static_cast<int>(s) && is_active(t)) terms.push_back(t);
  if (terms.empty()) return fill_node(s);
  std::vector<Maps<T>> outputs;
  for (const std::size_t t : terms) outputs.push_back(output_of(t));
  const Maps<T>& first = outputs.front();
  const std::int64_t period = k_.period(first.channels), numbers = first.numbers();
  T* sums = make_maps(node, first, first.channels);
  const bool differs = std::any_of(terms.begin(), terms.end(), [&](std::size_t t) { return masked(t); });
  const auto scales_of = [&](std::int64_t image) {
    std::vector<double> factors;
    for (const std::size_t t : terms) factors.push_back(factor_of(t, image));
    return SumScales<T>(factors, outputs, period);
  };
  const std::optional<SumScales<T>> shared = differs ? std::nullopt : std::optional(scales_of(0));
  by_images(first.images, [&](std::int64_t n) {
    const std::optional<SumScales<T>> own = differs ? std::optional(scales_of(n)) : std::nullopt;
    const SumScales<T>& scales = differs ? *own : *shared;
    std::vector<const T*> x, factors;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      x.push_back(outputs[t].image(n));
      factors.push_back(scales.terms[t].data());
    }
    k_.combine({numbers, period, static_cast<std::int64_t>(x.size()), x.data(), factors.data(), scales.shift.data(),
                /*accumulate=*/false, sums + n * numbers});
  });
}

template <class T>
void TypedRun<T>::fill_node(std::size_t s) {
  const auto& zeros = std::get<CellProgram::Sum>(program_.sources[s]);
  Maps<T> like = node(zeros.from).maps;
  like.height = (like.height + zeros.stride - 1) / zeros.stride;
  like.width = (like.width + zeros.stride - 1) / zeros.stride;
  T* data = make_maps(nodes_[s], like, zeros.channels == 0 ? like.channels : zeros.channels);
  std::fill_n(data, like.images * nodes_[s].maps.numbers(), T(0));
}

template <class T>
void TypedRun<T>::run_operations(std::size_t s) {
  std::vector<std::vector<std::size_t>> alike;  // operations whose first units make a group
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const CellProgram::Operation& program = program_.operations[i];
    if (from_of(i) != s || !operations_[i].active) continue;
    if (program.own_code) operations_[i].recorded.run(program.own_code, nodes_[s].maps, how_, operations_[i].needed);
    if (program.chain.empty()) continue;
    auto at = std::find_if(alike.begin(), alike.end(), [&](const std::vector<std::size_t>& group) {
      return UnitGroup<T>::fits(program_.operations[group.front()].chain.front(), program.chain.front());
    });
    if (at == alike.end()) at = alike.insert(at, std::vector<std::size_t>());
    at->push_back(i);
  }
  for (const std::vector<std::size_t>& group : alike) run_group(s, group);
}

template <class T>
void TypedRun<T>::run_group(std::size_t s, const std::vector<std::size_t>& operations) {
  const bool update = how_.training && how_.update_statistics;
  std::vector<const Unit*> units;
  for (std::size_t p = 0; p < operations.size(); ++p) {
    operations_[operations[p]].first = firsts_.size();
    operations_[operations[p]].place = p;
    units.push_back(&program_.operations[operations[p]].chain.front());
  }
  firsts_.push_back({s, operations, UnitGroup<T>(units, k_, pool_)});
  UnitGroup<T>& first = firsts_.back().group;
  first.forward(nodes_[s].maps, how_.training, update);
  for (std::size_t p = 0; p < operations.size(); ++p) {
    const Chain& chain = program_.operations[operations[p]].chain;
    Operation& operation = operations_[operations[p]];
    operation.others.reserve(chain.size() - 1);
    UnitRun<T>* before = &first.unit(p);
    for (std::size_t u = 1; u < chain.size(); ++u) {
      operation.others.emplace_back(std::vector<const Unit*>{&chain[u]}, k_, pool_);
      operation.others.back().forward(before->output(), how_.training, update);
      if (!keeps_) before->release();
      before = &operation.others.back().unit(0);
    }
  }
}

template <class T>
void TypedRun<T>::release_operations_behind(std::size_t s) {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    Operation& operation = operations_[i];
    const bool read_later = std::any_of(operation.terms.begin(), operation.terms.end(),
                                        [&](std::size_t t) { return program_.terms[t].to > static_cast<int>(s); });
    if (read_later || from_of(i) >= s || !operation.active) continue;
    operation.others.clear();
    operation.recorded.release();
    if (!program_.operations[i].chain.empty()) firsts_[operation.first].group.unit(operation.place).release();
  }
}

template <class T>
at::Tensor TypedRun<T>::joined() const {
  std::vector<Maps<T>> nodes;
  for (const int node : program_.output) nodes.push_back(nodes_[static_cast<std::size_t>(node)].maps);
  return joined_channels(nodes);
}

std::unique_ptr<CellRun> make_cell_run(const CellProgram& program, at::ScalarType type, BufferPool& pool) {
  if (type == at::kDouble) return std::make_unique<TypedRun<double>>(program, pool);
  return std::make_unique<TypedRun<float>>(program, pool);
}

}  // namespace mixop
