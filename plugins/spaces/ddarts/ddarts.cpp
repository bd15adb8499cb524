// The cell-wise spaces of D-DARTS and DARTOpti (Heuillet et al.: "D-DARTS: Distributed Differentiable Architecture
// Search", arXiv 2108.09306).
#include <utility>

#include "discrete_network.hpp"
#include "genotypes.hpp"
#include "mixop/plugin.hpp"
#include "mixop/space.hpp"
#include "networks.hpp"

namespace mixop::ddarts {
namespace {

/// What both spaces share: every cell of the network is its own.
class CellwiseSpace : public SearchSpace {
 public:
  NetworkGraph search(const SpaceConfig& config) const override { return search_network(name_, config); }
  NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const override {
    return discrete_network(name_, config, genotype);
  }

 protected:
  explicit CellwiseSpace(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

class Ddarts final : public CellwiseSpace {
 public:
  explicit Ddarts(const Options&) : CellwiseSpace("ddarts") {}

  std::string summary() const override {
    return "Convolutional cells of D-DARTS (Heuillet et al., arXiv 2108.09306): every cell of the network is its own.";
  }
  SpaceDefaults defaults() const override {
    return {{"max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
            "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"}, "ddarts"};
  }
  const std::vector<NamedGenotype>& genotypes() const override { return ddarts_genotypes(); }
};

class Dartopti final : public CellwiseSpace {
 public:
  explicit Dartopti(const Options&) : CellwiseSpace("dartopti") {}

  std::string summary() const override {
    return "Hand-made networks as cells, re-optimised (DARTOpti, Heuillet et al., arXiv 2108.09306).";
  }
  SpaceDefaults defaults() const override {
    return {{"conv_3x1_1x3",    "conv_7x1_1x7", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "simple_conv_1x1",
            "simple_conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "bottleneck_1x3x1"}, "ddarts"};
  }
  const std::vector<NamedGenotype>& genotypes() const override { return dartopti_genotypes(); }
};

}  // namespace
}  // namespace mixop::ddarts

MIXOP_PLUGIN("mixop.spaces.ddarts", "0.1.0", "The cell-wise spaces of D-DARTS and DARTOpti (Heuillet et al., 2021).",
             mixop::space<mixop::ddarts::Ddarts>("ddarts"), mixop::space<mixop::ddarts::Dartopti>("dartopti"));
