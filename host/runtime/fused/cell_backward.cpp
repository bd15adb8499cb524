#include <ATen/ATen.h>

#include <algorithm>

#include "host/runtime/fused/typed_run.hpp"

namespace mixop {

template <class T>
CellGradients TypedRun<T>::backward(const at::Tensor& gradient) {
  CellGradients result;
  result.inputs.resize(static_cast<std::size_t>(program_.inputs));
  result.terms.assign(program_.terms.size(), 0);
  parameter_gradients_.assign(operations_.size(), {});
  for (std::size_t s = 0; s < result.inputs.size(); ++s) {
    if (!wants_.inputs[s]) continue;
    result.inputs[s] = at::empty_like(inputs_[s]);
    nodes_[s].gradient_data = result.inputs[s].template mutable_data_ptr<T>();
  }
  split(gradient);
  for (std::size_t s = nodes_.size(); s-- > 0;) {
    unrun_operations(s, result);
    if (s >= result.inputs.size())
      finish_gradient(s);
    else if (nodes_[s].needed && !nodes_[s].written)
      result.inputs[s].zero_();
  }
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    parameter_gradients_[i].resize(parameters_of(program_.operations[i]).size());
    std::move(parameter_gradients_[i].begin(), parameter_gradients_[i].end(), std::back_inserter(result.parameters));
  }
  return result;
}

template <class T>
void TypedRun<T>::split(const at::Tensor& gradient) {
  const at::Tensor whole = dense(gradient);
  const Maps<T> all = maps_of<T>(whole);
  std::int64_t first = 0;
  for (const int output : program_.output) {
    Node& node = nodes_[static_cast<std::size_t>(output)];
    if (node.needed) take_channels(all, first, node.maps, std::exchange(node.written, true), gradient_memory(node));
    first += node.maps.channels;
  }
}

template <class T>
T* TypedRun<T>::gradient_memory(Node& node) {
  if (node.gradient_data != nullptr) return node.gradient_data;
  node.gradient = scratch<T>(pool_, node.maps.images * node.maps.numbers(), k_.period(node.maps.channels));
  return node.gradient_data = node.gradient.data();
}

template <class T>
bool TypedRun<T>::wants_dots(std::size_t term) const {
  const CellProgram::Operation& program = program_.operations[program_.terms[term].operation];
  const bool normed = !program.chain.empty() && program.chain.back().norm.has_value();
  return is_active(term) && operations_[program_.terms[term].operation].needed && (normed || wants_.terms[term]);
}

template <class T>
void TypedRun<T>::finish_gradient(std::size_t s) {
  Node& node = nodes_[s];
  if (!node.needed) return;
  T* gradient = gradient_memory(node);
  const Maps<T>& shape = node.maps;
  if (!node.written) std::fill_n(gradient, shape.images * shape.numbers(), T(0));
  if (source<CellProgram::Sum>(s) == nullptr) return hand_on(s, gradient);
  std::vector<std::size_t> terms;
  std::vector<Maps<T>> outputs;
  for (std::size_t t = 0; t < program_.terms.size(); ++t) {
    if (program_.terms[t].to != static_cast<int>(s) || !wants_dots(t)) continue;
    terms.push_back(t);
    outputs.push_back(output_of(t));
    dots_[t].resize(static_cast<std::size_t>(shape.images * shape.channels));
  }
  node.gradient_sums.resize(static_cast<std::size_t>(shape.images * shape.channels));
  const std::int64_t period = k_.period(shape.channels);
  by_images(shape.images, [&](std::int64_t n) {
    const T* own = gradient + n * shape.numbers();
    double* sums = node.gradient_sums.data() + n * shape.channels;
    for (std::size_t t = 0; t < terms.size(); ++t)
      k_.dot({shape.numbers(), shape.channels, period, own, outputs[t].image(n), t == 0 ? sums : nullptr,
              dots_[terms[t]].data() + n * shape.channels});
    if (!terms.empty()) return;
    std::vector<double> squares(static_cast<std::size_t>(shape.channels));
    k_.dot({shape.numbers(), shape.channels, period, own, own, sums, squares.data()});
  });
}

template <class T>
void TypedRun<T>::hand_on(std::size_t s, const T* gradient) {
  Maps<T> own = nodes_[s].maps;
  own.data = gradient;
  if (const auto* slice = source<CellProgram::Slice>(s)) {
    Node& of = node(slice->of);
    T* to = gradient_memory(of);
    if (!std::exchange(of.written, true)) std::fill_n(to, of.maps.images * of.maps.numbers(), T(0));
    return add_channels(own, slice->first, of.maps, to);
  }
  const auto& two = std::get<CellProgram::Interleaved>(program_.sources[s]);
  const auto written = [this](Node& to) {
    to.written = true;
    return to.needed ? gradient_memory(to) : nullptr;
  };
  uninterleave(own, two.divisor, written(node(two.chosen)), written(node(two.passing)));
}

template <class T>
std::vector<GradientTerm<T>> TypedRun<T>::terms_of(std::size_t i) const {
  std::vector<GradientTerm<T>> terms;
  for (const std::size_t t : operations_[i].terms) {
    const Node& to = nodes_[static_cast<std::size_t>(program_.terms[t].to)];
    GradientTerm<T> term{to.gradient_data, to.gradient_sums.data()};
    term.factor = factors_.of_terms[t];
    term.factors = masked(t) ? factors_.of_images[t].data() : nullptr;
    term.wanted = wants_.terms[t];
    term.copy = program_.terms[t].copy;
    term.dots = dots_[t].data();
    terms.push_back(term);
  }
  return terms;
}

template <class T>
void TypedRun<T>::note_factor_gradients(std::size_t i, const std::vector<GradientTerm<T>>& terms,
                                        CellGradients& result) const {
  for (std::size_t t = 0; t < terms.size(); ++t) result.terms[operations_[i].terms[t]] = terms[t].gradient;
}

template <class T>
InputGradient<T> TypedRun<T>::gradient_of_input(Node& node) {
  if (!node.needed) return {};
  T* maps = gradient_memory(node);
  return {maps, std::exchange(node.written, true)};
}

template <class T>
void TypedRun<T>::unrun_operations(std::size_t s, CellGradients& result) {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const CellProgram::Operation& program = program_.operations[i];
    if (from_of(i) != s || !operations_[i].active || !operations_[i].needed) continue;
    if (!program.own_code && !program.chain.empty()) continue;
    std::vector<GradientTerm<T>> terms = terms_of(i);
    program.own_code ? unrun_own_code(i, terms) : pass_through(nodes_[s], terms);
    note_factor_gradients(i, terms, result);
  }
  while (!firsts_.empty() && firsts_.back().from == s) {
    unrun_group(firsts_.back(), result);
    firsts_.pop_back();
  }
}

template <class T>
void TypedRun<T>::unrun_group(First& first, CellGradients& result) {
  Node& from = nodes_[first.from];
  const bool goes_on = from.needed || wants_.weights;
  std::vector<std::vector<GradientTerm<T>>> terms(first.operations.size());
  std::vector<Between> between(first.operations.size());
  std::vector<std::vector<UnitGradients>> gradients(first.operations.size());
  for (std::size_t p = 0; p < first.operations.size(); ++p) {
    const std::size_t i = first.operations[p];
    if (!operations_[i].needed) continue;
    gradients[p].resize(program_.operations[i].chain.size());
    terms[p] = terms_of(i);
    unrun_others(i, first.group.unit(p), terms[p], between[p], gradients[p], result);
  }
  std::vector<UnitGradients> own;
  if (goes_on || has_wanted(terms)) own = first.group.backward(terms, gradient_of_input(from), wants_.weights);
  for (std::size_t p = 0; p < first.operations.size(); ++p) {
    const std::size_t i = first.operations[p];
    if (gradients[p].empty()) continue;
    if (gradients[p].size() == 1) note_factor_gradients(i, terms[p], result);
    if (!wants_.weights) continue;
    gradients[p].front() = std::move(own[p]);
    add_parameter_gradients(i, gradients[p]);
  }
}

template <class T>
bool TypedRun<T>::has_wanted(const std::vector<std::vector<GradientTerm<T>>>& terms) {
  for (const std::vector<GradientTerm<T>>& own : terms)
    for (const GradientTerm<T>& term : own)
      if (term.wanted) return true;
  return false;
}

template <class T>
void TypedRun<T>::unrun_others(std::size_t i, const UnitRun<T>& first, std::vector<GradientTerm<T>>& terms,
                               Between& between, std::vector<UnitGradients>& gradients, CellGradients& result) {
  Operation& operation = operations_[i];
  const bool goes_on = nodes_[from_of(i)].needed || wants_.weights;
  const std::size_t last = gradients.size() - 1;
  for (std::size_t u = last; u-- > 0;) {
    const Maps<T> before = (u == 0 ? first : operation.others[u - 1].unit(0)).output();
    Between next;
    InputGradient<T> input;
    if (goes_on) {
      next.maps = scratch<T>(pool_, before.images * before.numbers(), k_.period(before.channels));
      next.sums.resize(static_cast<std::size_t>(before.images * before.channels));
      next.dots.resize(next.sums.size());
      input = {next.maps.data(), false, next.sums.data(), next.dots.data()};
    }
    std::vector<std::vector<GradientTerm<T>>> own{terms};
    gradients[u + 1] = std::move(operation.others[u].backward(own, input, wants_.weights).front());
    if (u + 1 == last) note_factor_gradients(i, own.front(), result);
    operation.others.pop_back();
    between = std::move(next);
    terms.clear();
    if (!goes_on) return;
    GradientTerm<T>& term = terms.emplace_back();
    term.maps = between.maps.data();
    term.sums = between.sums.data();
    term.dots = between.dots.data();
  }
}

template <class T>
void TypedRun<T>::add_parameter_gradients(std::size_t i, std::vector<UnitGradients>& gradients) {
  std::vector<at::Tensor>& parameters = parameter_gradients_[i];
  const Chain& chain = program_.operations[i].chain;
  for (std::size_t u = 0; u < chain.size(); ++u) {
    if (chain[u].depthwise.defined()) parameters.push_back(gradients[u].depthwise);
    for (at::Tensor& part : gradients[u].parts) parameters.push_back(std::move(part));
    if (chain[u].norm && chain[u].norm->weight.defined()) parameters.push_back(gradients[u].norm_weight);
    if (chain[u].norm && chain[u].norm->bias.defined()) parameters.push_back(gradients[u].norm_bias);
  }
}

template <class T>
void TypedRun<T>::add_terms(const std::vector<GradientTerm<T>>& terms, const Maps<T>& shape, std::int64_t n,
                            bool accumulate, T* out) const {
  std::vector<const T*> maps, scales;
  std::vector<std::vector<T>> numbers;
  const std::int64_t period = k_.period(shape.channels);
  for (const GradientTerm<T>& term : terms) {
    maps.push_back(term.maps + n * shape.numbers());
    numbers.emplace_back(static_cast<std::size_t>(period), static_cast<T>(term.factor_of(n)));
  }
  for (const std::vector<T>& own : numbers) scales.push_back(own.data());
  k_.combine({shape.numbers(), period, static_cast<std::int64_t>(maps.size()), maps.data(), scales.data(), nullptr,
              accumulate, out});
}

template <class T>
void TypedRun<T>::find_factor_gradients(std::vector<GradientTerm<T>>& terms, const Maps<T>& output) {
  for (GradientTerm<T>& term : terms)
    for (std::int64_t i = 0; term.wanted && i < output.images * output.channels; ++i) term.gradient += term.dots[i];
}

template <class T>
void TypedRun<T>::pass_through(Node& from, std::vector<GradientTerm<T>>& terms) {
  find_factor_gradients(terms, from.maps);
  const InputGradient<T> input = gradient_of_input(from);
  if (input.maps == nullptr) return;
  by_images(from.maps.images, [&](std::int64_t n) {
    add_terms(terms, from.maps, n, input.accumulate, input.maps + n * from.maps.numbers());
  });
}

template <class T>
void TypedRun<T>::unrun_own_code(std::size_t i, std::vector<GradientTerm<T>>& terms) {
  const std::vector<at::Tensor>& own = program_.operations[i].own_parameters;
  RecordedCode<T>& recorded = operations_[i].recorded;
  const Maps<T> output = recorded.output();
  find_factor_gradients(terms, output);
  at::Tensor gradient = recorded.like_output();
  by_images(output.images, [&](std::int64_t n) {
    add_terms(terms, output, n, /*accumulate=*/false, gradient.mutable_data_ptr<T>() + n * output.numbers());
  });
  at::Tensor found;
  parameter_gradients_[i] = recorded.backward(gradient, wants_.weights ? own : std::vector<at::Tensor>(), found);
  parameter_gradients_[i].resize(own.size());
  Node& from = nodes_[from_of(i)];
  const InputGradient<T> input = gradient_of_input(from);
  if (input.maps == nullptr) return;
  at::Tensor to = tensor_of(from.maps, input.maps);
  if (!found.defined() && !input.accumulate) to.zero_();
  if (found.defined()) input.accumulate ? to.add_(found) : to.copy_(found);
}

template CellGradients TypedRun<float>::backward(const at::Tensor&);
template CellGradients TypedRun<double>::backward(const at::Tensor&);

}  // namespace mixop
