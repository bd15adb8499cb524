#include "host/search/named_space.hpp"

#include "host/plugins/part_error.hpp"

namespace mixop {
namespace {

class NamedSpace final : public SearchSpace {
 public:
  NamedSpace(Part<SearchSpace> space, std::string called) : own_(std::move(space)), called_(std::move(called)) {}

  std::string summary() const override {
    return naming(called_, "summary", [&] { return own_->summary(); });
  }
  Domain domain() const override {
    return naming(called_, "domain", [&] { return own_->domain(); });
  }
  SpaceDefaults defaults() const override {
    return naming(called_, "defaults", [&] { return own_->defaults(); });
  }
  NetworkGraph search(const SpaceConfig& config) const override {
    return naming(called_, "search", [&] { return own_->search(config); });
  }
  NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const override {
    return naming(called_, "network", [&] { return own_->network(config, genotype); });
  }
  const std::vector<NamedGenotype>& genotypes() const override {
    return naming(
        called_, "genotypes", [&]() -> const auto& { return own_->genotypes(); });
  }
  std::optional<Genotype> read_text(const std::string& text) const override {
    return naming(called_, "read_text", [&] { return own_->read_text(text); });
  }
  std::optional<std::string> print_text(const Genotype& genotype) const override {
    return naming(called_, "print_text", [&] { return own_->print_text(genotype); });
  }

 private:
  Part<SearchSpace> own_;
  std::string called_;
};

}  // namespace

Part<SearchSpace> with_name(Part<SearchSpace> space, std::string called) {
  return {new NamedSpace(std::move(space), std::move(called)), {[](void* object) { delete static_cast<SearchSpace*>(object); }}};
}

}  // namespace mixop
