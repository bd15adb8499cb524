#include "host/runtime/fused/fused_block.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <map>
#include <tuple>
#include <utility>

#include "host/runtime/autograd_node.hpp"
#include "host/runtime/fused/cell_run.hpp"
#include "host/runtime/fused/packed.hpp"
#include "mixop/error.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

using torch::autograd::variable_list;

/// Rows of relaxed alphas that a program's terms read, each once.
struct Rows {
  std::vector<at::Tensor> tensors;
  std::vector<std::size_t> of_terms;  // of each term, or kNone
};
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

Rows rows_of(const CellProgram& program, RelaxedRows& relaxed) {
  Rows rows;
  std::map<std::tuple<int, int, int, bool>, std::size_t> known;
  for (const CellProgram::Term& term : program.terms) {
    rows.of_terms.push_back(kNone);
    if (!term.alphas || (term.of_edge && !relaxed.has_edges(*term.alphas))) continue;
    const auto [place, is_new] =
        known.try_emplace({term.alphas->set, term.alphas->cell, term.alphas->edge, term.of_edge}, rows.tensors.size());
    if (is_new) rows.tensors.push_back(term.of_edge ? relaxed.edge(*term.alphas) : relaxed.weights(*term.alphas));
    rows.of_terms.back() = place->second;
  }
  return rows;
}

CellFactors factors_of(const CellProgram& program, const Rows& rows, const RelaxedRows& relaxed, const Pass& pass,
                       std::uint64_t key, const at::Tensor& input) {
  std::vector<std::vector<double>> numbers;
  for (const at::Tensor& row : rows.tensors) numbers.push_back(doubles_of(row));
  CellFactors factors;
  for (std::size_t t = 0; t < program.terms.size(); ++t) {
    const CellProgram::Term& term = program.terms[t];
    const double factor = rows.of_terms[t] == kNone ? 1 : numbers[rows.of_terms[t]][term.candidate];
    factors.active.push_back(!term.alphas || term.of_edge || relaxed.is_active(*term.alphas, term.candidate));
    std::vector<double>& images = factors.of_images.emplace_back();
    if (term.drop && pass.training && pass.drop_path > 0) {
      images = doubles_of(samples_that_stay(input.size(0), pass.drop_path, key_of({key, *term.drop}), input));
      for (double& stays : images) stays *= factor / (1 - pass.drop_path);
    }
    factors.of_terms.push_back(factor);
  }
  return factors;
}

/// The autograd node of a cell. Its inputs: those of the block, rows of relaxed alphas, parameters.
class CellBackward final : public torch::autograd::Node {
 public:
  std::shared_ptr<const CellProgram> program;
  std::unique_ptr<CellRun> run;
  Rows rows;
  std::size_t inputs = 0;

  variable_list apply(variable_list&& gradients) override {
    variable_list result(inputs + rows.tensors.size() + program->parameters.size());
    if (!gradients[0].defined()) return result;
    if (run == nullptr)
      throw Error(ErrorCode::failed,
                  "a fused cell keeps what its backward pass needs for one pass, and a second one was asked for: use "
                  "execution=plain, or gradients() once for each loss");
    const at::NoGradGuard no_grad;
    CellGradients found = run->backward(gradients[0]);
    std::move(found.inputs.begin(), found.inputs.end(), result.begin());
    for (std::size_t r = 0; r < rows.tensors.size(); ++r)
      if (rows.tensors[r].requires_grad()) result[inputs + r] = row_gradient(r, found.terms);
    std::move(found.parameters.begin(), found.parameters.end(),
              result.begin() + static_cast<std::ptrdiff_t>(inputs + rows.tensors.size()));
    run.reset();
    return result;
  }
  void release_variables() override { run.reset(); }

 private:
  at::Tensor row_gradient(std::size_t row, const std::vector<double>& terms) const {
    std::vector<double> numbers(static_cast<std::size_t>(rows.tensors[row].numel()), 0);
    for (std::size_t t = 0; t < terms.size(); ++t)
      if (rows.of_terms[t] == row) numbers[program->terms[t].candidate] += terms[t];
    return at::tensor(numbers, at::kDouble).to(rows.tensors[row].scalar_type());
  }
};

bool can_run(const std::vector<at::Tensor>& inputs) {
  const at::ScalarType type = inputs.front().scalar_type();
  if (type != at::kFloat && type != at::kDouble) return false;
  for (const at::Tensor& input : inputs)
    if (!input.is_cpu() || input.scalar_type() != type || input.dim() != 4) return false;
  return true;
}

}  // namespace

FusedBlock::FusedBlock(const Block& block, const OperatorCatalog& operators, const Target& target, BufferPool& pool)
    : plain_(std::make_unique<PlainBlock>(block, operators, target)), pool_(&pool) {
  if (!target.device.is_cpu() || (target.type != at::kFloat && target.type != at::kDouble)) return;
  if (std::optional<CellProgram> program = lower(*plain_)) program_ = std::make_shared<CellProgram>(std::move(*program));
}

at::Tensor FusedBlock::forward(const std::vector<at::Tensor>& inputs, RelaxedRows& relaxed, const Pass& pass,
                               std::uint64_t key) const {
  if (!is_fused() || !can_run(inputs)) return plain_->forward(inputs, relaxed, pass, key);
  Rows rows = rows_of(*program_, relaxed);
  variable_list leaves = inputs;
  leaves.insert(leaves.end(), rows.tensors.begin(), rows.tensors.end());
  leaves.insert(leaves.end(), program_->parameters.begin(), program_->parameters.end());
  const bool records = torch::autograd::compute_requires_grad(leaves);
  CellWants wants;
  for (const at::Tensor& input : inputs) wants.inputs.push_back(records && input.requires_grad());
  for (std::size_t t = 0; t < program_->terms.size(); ++t)
    wants.terms.push_back(records && rows.of_terms[t] != kNone && rows.tensors[rows.of_terms[t]].requires_grad());
  for (const at::Tensor& parameter : program_->parameters)
    wants.weights = wants.weights || (records && parameter.requires_grad());
  const CellFactors factors = factors_of(*program_, rows, relaxed, pass, key, inputs.front());

  std::unique_ptr<CellRun> run = make_cell_run(*program_, inputs.front().scalar_type(), *pool_);
  at::Tensor output;
  {
    const at::NoGradGuard no_grad;
    output = run->forward(inputs, factors, wants, pass);
  }
  if (!records) return output;
  auto node = make_autograd_node<CellBackward>();
  node->set_next_edges(torch::autograd::collect_next_edges(leaves));
  node->program = program_;
  node->run = std::move(run);
  node->rows = std::move(rows);
  node->inputs = inputs.size();
  torch::autograd::set_history(output, node);
  return output;
}

}  // namespace mixop
