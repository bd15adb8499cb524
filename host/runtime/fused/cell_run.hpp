#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "host/runtime/fused/cell_program.hpp"
#include "host/runtime/fused/unit_run.hpp"

namespace mixop {

/// What a pass over a cell is given beside its inputs.
struct CellFactors {
  std::vector<double> of_terms;                ///< one for each term of the program
  std::vector<bool> active;                    ///< of each term: whether it is computed
  std::vector<std::vector<double>> of_images;  ///< of each term [images], where drop-path masks it: in place of the one
};

/// What of a cell's gradients is wanted.
struct CellWants {
  std::vector<bool> inputs;  ///< one for each input
  std::vector<bool> terms;   ///< of each term: its factor's
  bool weights = false;
};

struct CellGradients {
  std::vector<at::Tensor> inputs;
  std::vector<double> terms;
  std::vector<at::Tensor> parameters;  ///< in the program's order; undefined ones have none
};

/// One pass over a cell, and at most one backward.
class CellRun {
 public:
  virtual ~CellRun() = default;
  /// `inputs`: [N, C, H, W] of the run's type, on the CPU. Where nothing of the gradients is wanted, memory is given back
  /// as soon as it may.
  virtual at::Tensor forward(const std::vector<at::Tensor>& inputs, const CellFactors& factors, const CellWants& wants,
                             const Forward& how) = 0;
  virtual CellGradients backward(const at::Tensor& gradient) = 0;
};

/// For float or double. Program and pool must outlive the run.
std::unique_ptr<CellRun> make_cell_run(const CellProgram& program, at::ScalarType type, BufferPool& pool);

}  // namespace mixop
