// The parts that DARTS and most of its successors share: the softmax over the operations of an edge, the published
// derivation, and the empty parts.
#include "darts_deriver.hpp"

#include "mixop/plugin.hpp"

#include <ATen/ATen.h>

namespace mixop::strategies {
namespace {

/// DARTS, equation 2.
class Softmax final : public Relaxation {
 public:
  explicit Softmax(const Options&) {}
  at::Tensor weights(const at::Tensor& alphas, const SearchPosition&, std::uint64_t) const override {
    return at::softmax(alphas, -1);
  }
};

class NoRegulariser final : public Regulariser {
 public:
  explicit NoRegulariser(const Options&) {}
  at::Tensor term(const std::vector<at::Tensor>&, const std::vector<at::Tensor>&,
                  const SearchPosition&) const override {
    return {};
  }
};

class NoTransform final : public EdgeTransform {
 public:
  explicit NoTransform(const Options&) {}
  std::int64_t operation_channels(std::int64_t channels) const override { return channels; }
  at::Tensor forward(const at::Tensor& input, std::int64_t, const Mixed& mixed) const override { return mixed(input); }
};

class NoStopper final : public Stopper {
 public:
  explicit NoStopper(const Options&) {}
  std::string reason_to_stop(const EpochReport&) override { return ""; }
};

}  // namespace
}  // namespace mixop::strategies

MIXOP_PLUGIN("mixop.strategies.darts_parts", "0.1.0",
             "Softmax, the published derivation of DARTS, and the empty parts.",
             mixop::strategy_part<mixop::strategies::Softmax>("softmax"),
             mixop::strategy_part<mixop::strategies::NoRegulariser>("none"),
             mixop::strategy_part<mixop::strategies::NoTransform>("none"),
             mixop::strategy_part<mixop::strategies::NoStopper>("none"),
             mixop::strategy_part<mixop::strategies::DartsDeriver>("darts"));
