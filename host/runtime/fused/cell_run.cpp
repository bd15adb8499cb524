#include "host/runtime/fused/cell_run.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "host/runtime/fused/maps.hpp"
#include "host/runtime/fused/packed.hpp"
#include "host/runtime/fused/recorded_code.hpp"
#include "host/runtime/fused/sum_scales.hpp"

namespace mixop {
namespace {

template <class T>
class TypedRun final : public CellRun {
 public:
  TypedRun(const CellProgram& program, BufferPool& pool)
      : program_(program),
        pool_(pool),
        k_(cpu::kernels<T>()),
        nodes_(static_cast<std::size_t>(program.nodes)),
        operations_(program.operations.size()),
        dots_(program.terms.size()) {}

  at::Tensor forward(const std::vector<at::Tensor>& inputs, const CellFactors& factors, const CellWants& wants,
                     const Forward& how) override {
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

  CellGradients backward(const at::Tensor& gradient) override {
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
      if (s >= result.inputs.size()) finish_gradient(s);
      else if (nodes_[s].needed && !nodes_[s].written) result.inputs[s].zero_();
    }
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      parameter_gradients_[i].resize(parameters_of(program_.operations[i]).size());
      std::move(parameter_gradients_[i].begin(), parameter_gradients_[i].end(), std::back_inserter(result.parameters));
    }
    return result;
  }

 private:
  struct Node {
    Maps<T> maps;
    Buffer<T> memory;
    bool needed = false;  // its gradient is
    Buffer<T> gradient;
    T* gradient_data = nullptr;
    bool written = false;
    std::vector<double> gradient_sums;  // [images][channels]
  };
  /// First units of operations on one node.
  struct First {
    std::size_t from = 0;
    std::vector<std::size_t> operations;
    UnitGroup<T> group;
  };
  struct Operation {
    std::size_t first = 0, place = 0;  // of its first unit: in firsts_, and in the group
    std::vector<UnitGroup<T>> others;  // one unit each
    RecordedCode<T> recorded;  // of code that is run as it is
    bool active = false, needed = false;
    std::vector<std::size_t> terms;
  };

  std::size_t from_of(std::size_t i) const { return static_cast<std::size_t>(program_.operations[i].from); }
  bool is_active(std::size_t term) const { return factors_.active[term]; }
  Node& node(int number) { return nodes_[static_cast<std::size_t>(number)]; }
  template <class Kind>
  const Kind* source(std::size_t s) const { return std::get_if<Kind>(&program_.sources[s]); }

  /// Which operations run, and which nodes and operations a gradient goes through.
  void plan() {
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

  void take_input(std::size_t s, const at::Tensor& input) {
    inputs_.push_back(dense(input));
    nodes_[s].maps = maps_of<T>(inputs_.back());
  }

  Maps<T> output_of(std::size_t term) const {
    const CellProgram::Term& of = program_.terms[term];
    const Operation& operation = operations_[of.operation];
    if (operation.recorded) return operation.recorded.output();
    if (program_.operations[of.operation].chain.empty()) return nodes_[from_of(of.operation)].maps;
    return last_unit(operation).output(of.copy);
  }

  void make_node(std::size_t s) {
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

  /// Maps in memory of the node's own, of the size of others.
  T* make_maps(Node& node, const Maps<T>& like, std::int64_t channels) {
    node.maps = {nullptr, like.images, like.height, like.width, channels};
    node.memory = scratch<T>(pool_, like.images * node.maps.numbers(), k_.period(channels));
    node.maps.data = node.memory.data();
    return node.memory.data();
  }

  void sum_node(std::size_t s) {
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

  bool masked(std::size_t term) const { return !factors_.of_images[term].empty(); }
  double factor_of(std::size_t term, std::int64_t n) const {
    return masked(term) ? factors_.of_images[term][static_cast<std::size_t>(n)] : factors_.of_terms[term];
  }

  /// A node that nothing active feeds.
  void fill_node(std::size_t s) {
    const auto& zeros = std::get<CellProgram::Sum>(program_.sources[s]);
    Maps<T> like = node(zeros.from).maps;
    like.height = (like.height + zeros.stride - 1) / zeros.stride;
    like.width = (like.width + zeros.stride - 1) / zeros.stride;
    T* data = make_maps(nodes_[s], like, zeros.channels == 0 ? like.channels : zeros.channels);
    std::fill_n(data, like.images * nodes_[s].maps.numbers(), T(0));
  }

  const UnitRun<T>& last_unit(const Operation& operation) const {
    if (!operation.others.empty()) return operation.others.back().unit(0);
    return firsts_[operation.first].group.unit(operation.place);
  }

  void run_operations(std::size_t s) {
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

  void run_group(std::size_t s, const std::vector<std::size_t>& operations) {
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

  /// In a pass that keeps nothing: what no later node reads.
  void release_operations_behind(std::size_t s) {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      Operation& operation = operations_[i];
      const bool read_later = std::any_of(operation.terms.begin(), operation.terms.end(), [&](std::size_t t) {
        return program_.terms[t].to > static_cast<int>(s);
      });
      if (read_later || from_of(i) >= s || !operation.active) continue;
      operation.others.clear();
      operation.recorded.release();
      if (!program_.operations[i].chain.empty()) firsts_[operation.first].group.unit(operation.place).release();
    }
  }

  at::Tensor joined() const {
    std::vector<Maps<T>> nodes;
    for (const int node : program_.output) nodes.push_back(nodes_[static_cast<std::size_t>(node)].maps);
    return joined_channels(nodes);
  }

  /// The gradient of the output into those of its nodes.
  void split(const at::Tensor& gradient) {
    const at::Tensor whole = dense(gradient);
    const Maps<T> all = maps_of<T>(whole);
    std::int64_t first = 0;
    for (const int output : program_.output) {
      Node& node = nodes_[static_cast<std::size_t>(output)];
      if (node.needed) take_channels(all, first, node.maps, std::exchange(node.written, true), gradient_memory(node));
      first += node.maps.channels;
    }
  }

  T* gradient_memory(Node& node) {
    if (node.gradient_data != nullptr) return node.gradient_data;
    node.gradient = scratch<T>(pool_, node.maps.images * node.maps.numbers(), k_.period(node.maps.channels));
    return node.gradient_data = node.gradient.data();
  }

  /// Whether the sums of a node's gradient times what the term put out are asked for.
  bool wants_dots(std::size_t term) const {
    const CellProgram::Operation& program = program_.operations[program_.terms[term].operation];
    const bool normed = !program.chain.empty() && program.chain.back().norm.has_value();
    return is_active(term) && operations_[program_.terms[term].operation].needed && (normed || wants_.terms[term]);
  }

  /// The node's gradient is whole: its sums, and those of its product with each term's output, while it is in the cache.
  void finish_gradient(std::size_t s) {
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

  /// The gradient of a node that is made of others' channels, to these.
  void hand_on(std::size_t s, const T* gradient) {
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

  /// The gradients of what an operation puts out.
  std::vector<GradientTerm<T>> terms_of(std::size_t i) const {
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
  void note_factor_gradients(std::size_t i, const std::vector<GradientTerm<T>>& terms, CellGradients& result) const {
    for (std::size_t t = 0; t < terms.size(); ++t) result.terms[operations_[i].terms[t]] = terms[t].gradient;
  }

  InputGradient<T> gradient_of_input(Node& node) {
    if (!node.needed) return {};
    T* maps = gradient_memory(node);
    return {maps, std::exchange(node.written, true)};
  }

  void unrun_operations(std::size_t s, CellGradients& result) {
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

  /// A gradient between two units, with what the norm of the first needs of it.
  struct Between {
    Buffer<T> maps;
    std::vector<double> sums, dots;
  };

  void unrun_group(First& first, CellGradients& result) {
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
  static bool has_wanted(const std::vector<std::vector<GradientTerm<T>>>& terms) {
    for (const std::vector<GradientTerm<T>>& own : terms)
      for (const GradientTerm<T>& term : own)
        if (term.wanted) return true;
    return false;
  }

  /// Back through all units but the first; `terms` becomes that of the first's output.
  void unrun_others(std::size_t i, const UnitRun<T>& first, std::vector<GradientTerm<T>>& terms, Between& between,
                    std::vector<UnitGradients>& gradients, CellGradients& result) {
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

  void add_parameter_gradients(std::size_t i, std::vector<UnitGradients>& gradients) {
    std::vector<at::Tensor>& parameters = parameter_gradients_[i];
    const Chain& chain = program_.operations[i].chain;
    for (std::size_t u = 0; u < chain.size(); ++u) {
      if (chain[u].depthwise.defined()) parameters.push_back(gradients[u].depthwise);
      for (at::Tensor& part : gradients[u].parts) parameters.push_back(std::move(part));
      if (chain[u].norm && chain[u].norm->weight.defined()) parameters.push_back(gradients[u].norm_weight);
      if (chain[u].norm && chain[u].norm->bias.defined()) parameters.push_back(gradients[u].norm_bias);
    }
  }

  /// The sum of factor * gradient over the terms, for one image.
  void add_terms(const std::vector<GradientTerm<T>>& terms, const Maps<T>& shape, std::int64_t n, bool accumulate,
                 T* out) const {
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

  static void find_factor_gradients(std::vector<GradientTerm<T>>& terms, const Maps<T>& output) {
    for (GradientTerm<T>& term : terms)
      for (std::int64_t i = 0; term.wanted && i < output.images * output.channels; ++i) term.gradient += term.dots[i];
  }

  void pass_through(Node& from, std::vector<GradientTerm<T>>& terms) {
    find_factor_gradients(terms, from.maps);
    const InputGradient<T> input = gradient_of_input(from);
    if (input.maps == nullptr) return;
    by_images(from.maps.images, [&](std::int64_t n) {
      add_terms(terms, from.maps, n, input.accumulate, input.maps + n * from.maps.numbers());
    });
  }

  void unrun_own_code(std::size_t i, std::vector<GradientTerm<T>>& terms) {
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

  const CellProgram& program_;
  BufferPool& pool_;
  const cpu::Kernels<T>& k_;
  CellFactors factors_;
  CellWants wants_;
  Forward how_;
  bool keeps_ = false;
  std::vector<at::Tensor> inputs_;
  std::vector<Node> nodes_;
  std::vector<Operation> operations_;
  std::vector<std::vector<double>> dots_;  // of each term, see finish_gradient()
  std::vector<First> firsts_;  // in the order in which they ran
  std::vector<std::vector<at::Tensor>> parameter_gradients_;  // of each operation
};

}  // namespace

std::unique_ptr<CellRun> make_cell_run(const CellProgram& program, at::ScalarType type, BufferPool& pool) {
  if (type == at::kDouble) return std::make_unique<TypedRun<double>>(program, pool);
  return std::make_unique<TypedRun<float>>(program, pool);
}

}  // namespace mixop
