#pragma once

#include <optional>
#include <utility>

#include "host/runtime/fused/cell_run.hpp"
#include "host/runtime/fused/maps.hpp"
#include "host/runtime/fused/recorded_code.hpp"

namespace mixop {

/// A pass over a cell in one type: forward in cell_run.cpp, backward in cell_backward.cpp.
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
                     const Forward& how) override;
  CellGradients backward(const at::Tensor& gradient) override;

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
    RecordedCode<T> recorded;          // of code that is run as it is
    bool active = false, needed = false;
    std::vector<std::size_t> terms;
  };
  /// A gradient between two units, with what the norm of the first needs of it.
  struct Between {
    Buffer<T> maps;
    std::vector<double> sums, dots;
  };

  std::size_t from_of(std::size_t i) const { return static_cast<std::size_t>(program_.operations[i].from); }
  bool is_active(std::size_t term) const { return factors_.active[term]; }
  Node& node(int number) { return nodes_[static_cast<std::size_t>(number)]; }
  template <class Kind>
  const Kind* source(std::size_t s) const {
    return std::get_if<Kind>(&program_.sources[s]);
  }
  bool masked(std::size_t term) const { return !factors_.of_images[term].empty(); }
  double factor_of(std::size_t term, std::int64_t n) const {
    return masked(term) ? factors_.of_images[term][static_cast<std::size_t>(n)] : factors_.of_terms[term];
  }
  const UnitRun<T>& last_unit(const Operation& operation) const {
    if (!operation.others.empty()) return operation.others.back().unit(0);
    return firsts_[operation.first].group.unit(operation.place);
  }
  Maps<T> output_of(std::size_t term) const {
    const CellProgram::Term& of = program_.terms[term];
    const Operation& operation = operations_[of.operation];
    if (operation.recorded) return operation.recorded.output();
    if (program_.operations[of.operation].chain.empty()) return nodes_[from_of(of.operation)].maps;
    return last_unit(operation).output(of.copy);
  }

  // Forward.
  /// Which operations run, and which nodes and operations a gradient goes through.
  void plan();
  void take_input(std::size_t s, const at::Tensor& input);
  void make_node(std::size_t s);
  /// Maps in memory of the node's own, of the size of others.
  T* make_maps(Node& node, const Maps<T>& like, std::int64_t channels);
  void sum_node(std::size_t s);
  /// A node that nothing active feeds.
  void fill_node(std::size_t s);
  void run_operations(std::size_t s);
  void run_group(std::size_t s, const std::vector<std::size_t>& operations);
  /// In a pass that keeps nothing: what no later node reads.
  void release_operations_behind(std::size_t s);
  at::Tensor joined() const;

  // Backward.
  /// The gradient of the output into those of its nodes.
  void split(const at::Tensor& gradient);
  T* gradient_memory(Node& node);
  /// Whether the sums of a node's gradient times what the term put out are asked for.
  bool wants_dots(std::size_t term) const;
  /// The node's gradient is whole: its sums, and those of its product with each term's output, while it is in the
  /// cache.
  void finish_gradient(std::size_t s);
  /// The gradient of a node that is made of others' channels, to these.
  void hand_on(std::size_t s, const T* gradient);
  /// The gradients of what an operation puts out.
  std::vector<GradientTerm<T>> terms_of(std::size_t i) const;
  void note_factor_gradients(std::size_t i, const std::vector<GradientTerm<T>>& terms, CellGradients& result) const;
  InputGradient<T> gradient_of_input(Node& node);
  void unrun_operations(std::size_t s, CellGradients& result);
  void unrun_group(First& first, CellGradients& result);
  static bool has_wanted(const std::vector<std::vector<GradientTerm<T>>>& terms);
  /// Back through all units but the first; `terms` becomes that of the first's output.
  void unrun_others(std::size_t i, const UnitRun<T>& first, std::vector<GradientTerm<T>>& terms, Between& between,
                    std::vector<UnitGradients>& gradients, CellGradients& result);
  void add_parameter_gradients(std::size_t i, std::vector<UnitGradients>& gradients);
  /// The sum of factor * gradient over the terms, for one image.
  void add_terms(const std::vector<GradientTerm<T>>& terms, const Maps<T>& shape, std::int64_t n, bool accumulate,
                 T* out) const;
  static void find_factor_gradients(std::vector<GradientTerm<T>>& terms, const Maps<T>& output);
  void pass_through(Node& from, std::vector<GradientTerm<T>>& terms);
  void unrun_own_code(std::size_t i, std::vector<GradientTerm<T>>& terms);

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
  std::vector<std::vector<double>> dots_;                     // of each term, see finish_gradient()
  std::vector<First> firsts_;                                 // in the order in which they ran
  std::vector<std::vector<at::Tensor>> parameter_gradients_;  // of each operation
};

}  // namespace mixop
