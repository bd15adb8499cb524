#include "host/runtime/image_network.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <variant>

#include "host/runtime/fused/fused_block.hpp"
#include "host/runtime/loss.hpp"
#include "host/runtime/plain_block.hpp"
#include "mixop/random.hpp"

namespace mixop {
namespace {

constexpr std::size_t kNever = static_cast<std::size_t>(-1);

/// Channels of the first operation that is named or chosen; 0 where there is none.
std::int64_t first_channels(const NetworkGraph& graph) {
  for (const Block& block : graph.blocks)
    for (const Edge& edge : block.cell.edges) {
      if (const auto* choice = std::get_if<Choice>(&edge.does)) return choice->spec.out * choice->channel_divisor;
      if (const auto* named = std::get_if<NamedOp>(&edge.does)) return named->spec.out;
    }
  return 0;
}

/// What runs a block.
class Runner {
 public:
  Runner(const Block& block, const OperatorCatalog& operators, const Target& target, Execution execution,
         BufferPool& pool) {
    if (execution == Execution::fused)
      runs_.emplace<FusedBlock>(block, operators, target, pool);
    else
      runs_.emplace<PlainBlock>(block, operators, target);
  }
  at::Tensor forward(const std::vector<at::Tensor>& inputs, RelaxedRows& relaxed, const Pass& pass,
                     std::uint64_t key) const {
    if (const auto* fused = std::get_if<FusedBlock>(&runs_)) return fused->forward(inputs, relaxed, pass, key);
    return std::get<PlainBlock>(runs_).forward(inputs, relaxed, pass, key);
  }
  const std::vector<StateEntry>& state() const {
    if (const auto* fused = std::get_if<FusedBlock>(&runs_)) return fused->state();
    return std::get<PlainBlock>(runs_).state();
  }

 private:
  std::variant<std::monostate, PlainBlock, FusedBlock> runs_;
};

class ImageNetwork final : public Network {
 public:
  ImageNetwork(const NetworkGraph& graph, const OperatorCatalog& operators, const Target& target, Execution execution)
      : Network(graph),
        channels_(first_channels(graph)),
        training_only_(graph.blocks.size(), false),
        last_reader_(graph.blocks.size(), kNever) {
    for (std::size_t i = 0; i < graph.blocks.size(); ++i) {
      blocks_.emplace_back(graph.blocks[i], operators, target, execution, pool_);
      state_.insert(state_.end(), blocks_.back().state().begin(), blocks_.back().state().end());
      for (const int read : graph.blocks[i].reads)
        if (read >= 0) last_reader_[static_cast<std::size_t>(read)] = i;
    }
    for (const Output& output : graph.outputs)
      if (output.training_only) training_only_[static_cast<std::size_t>(output.block)] = true;
  }

  const std::vector<StateEntry>& state() const override { return state_; }
  void give_back_memory() override { pool_.give_back(); }

  Outcome loss(const std::vector<Relaxed>& relaxed, const Batch& batch, const RecurrentState&,
               const Pass& pass) override {
    const std::vector<at::Tensor> results = run(relaxed, laid_out(batch.input), pass);
    Outcome outcome;
    for (const Output& output : graph().outputs) {
      if (output.training_only && !pass.training) continue;
      const at::Tensor logits = results[static_cast<std::size_t>(output.block)].flatten(1);
      const at::Tensor own = cross_entropy(logits, batch.target, pass.training ? output.label_smoothing : 0);
      const at::Tensor term = output.weight == 1 ? own : output.weight * own;
      outcome.loss = outcome.loss.defined() ? outcome.loss + term : term;
      if (!output.training_only) outcome.output = logits;
    }
    return outcome;
  }

 private:
  /// The outputs of all blocks that somebody still needs at the end.
  std::vector<at::Tensor> run(const std::vector<Relaxed>& relaxed, const at::Tensor& images, const Pass& pass) const {
    RelaxedRows rows(alphas(), relaxed);
    std::vector<at::Tensor> results(blocks_.size());
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (training_only_[i] && !pass.training) continue;
      std::vector<at::Tensor> inputs;
      for (const int read : graph().blocks[i].reads)
        inputs.push_back(read < 0 ? images : results[static_cast<std::size_t>(read)]);
      results[i] = blocks_[i].forward(inputs, rows, pass, key_of({pass.key, i}));
      if (pass.trace != nullptr) pass.trace->push_back(results[i]);
      for (const int read : graph().blocks[i].reads)
        if (read >= 0 && last_reader_[static_cast<std::size_t>(read)] == i && !is_output(read))
          results[static_cast<std::size_t>(read)].reset();
    }
    return results;
  }
  bool is_output(int block) const {
    return std::any_of(graph().outputs.begin(), graph().outputs.end(),
                       [&](const Output& output) { return output.block == block; });
  }
  /// In the memory layout that LibTorch's kernels run fastest in, which all that follows inherits: channels last for
  /// float32 on a CPU from 16 channels on; below, depthwise convolutions are many times slower in it.
  at::Tensor laid_out(const at::Tensor& images) const {
    constexpr std::int64_t kFewest = 16;
    const bool channels_last = images.is_cpu() && images.scalar_type() == at::kFloat && channels_ >= kFewest;
    return channels_last ? images.contiguous(at::MemoryFormat::ChannelsLast) : images;
  }

  std::int64_t channels_;
  BufferPool pool_;
  std::vector<Runner> blocks_;
  std::vector<bool> training_only_;
  std::vector<std::size_t> last_reader_;
  std::vector<StateEntry> state_;
};

}  // namespace

std::unique_ptr<Network> compile_image_network(const NetworkGraph& graph, const OperatorCatalog& operators,
                                               const Target& target, Execution execution) {
  return std::make_unique<ImageNetwork>(graph, operators, target, execution);
}

}  // namespace mixop
