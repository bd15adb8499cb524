// The search space of NAS-Bench-201 (Dong and Yang, ICLR 2020, section 2.1).
#include "genotypes.hpp"
#include "mixop/plugin.hpp"
#include "mixop/space.hpp"
#include "networks.hpp"

namespace mixop::nasbench201 {
namespace {

class NasBench201 final : public SearchSpace {
 public:
  explicit NasBench201(const Options&) {}

  std::string summary() const override {
    return "The cell of NAS-Bench-201 (Dong and Yang, ICLR 2020) in three stages, without auxiliary head: space.layers "
           "counts all cells (15 published), space.nodes the cell's input, too (4 published).";
  }
  SpaceDefaults defaults() const override {
    return {{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}, "first_order", {{"space.layers", "15"}}};
  }
  NetworkGraph search(const SpaceConfig& config) const override { return search_network(config); }
  NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const override {
    return discrete_network(config, checked_cell(genotype));
  }
  const std::vector<NamedGenotype>& genotypes() const override { return published_genotypes(); }
  std::optional<Genotype> read_text(const std::string& text) const override { return read(text); }
  std::optional<std::string> print_text(const Genotype& genotype) const override { return print(genotype); }
};

}  // namespace
}  // namespace mixop::nasbench201

MIXOP_PLUGIN("mixop.spaces.nasbench201", "0.1.0", "The search space of NAS-Bench-201 (Dong and Yang, ICLR 2020).",
             mixop::space<mixop::nasbench201::NasBench201>("nasbench201"));
