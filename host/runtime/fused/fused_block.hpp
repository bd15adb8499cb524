#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "host/runtime/fused/buffers.hpp"
#include "host/runtime/fused/cell_program.hpp"
#include "host/runtime/plain_block.hpp"

namespace mixop {

/// A block whose operations run as one program with one autograd node, in float or double on a CPU; in any other case,
/// and where there is nothing to fuse, it runs plainly. Its gradients cannot be differentiated again.
class FusedBlock {
 public:
  FusedBlock(const Block& block, const OperatorCatalog& operators, const Target& target, BufferPool& pool);

  at::Tensor forward(const std::vector<at::Tensor>& inputs, RelaxedRows& relaxed, const Pass& pass,
                     std::uint64_t key) const;
  const std::vector<StateEntry>& state() const { return plain_->state(); }
  /// Whether there is a program for tensors of its target.
  bool is_fused() const { return program_ != nullptr; }

 private:
  std::unique_ptr<PlainBlock> plain_;
  std::shared_ptr<const CellProgram> program_;
  BufferPool* pool_;
};

}  // namespace mixop
