#include "host/search/named_parts.hpp"

#include "host/plugins/part_error.hpp"

namespace mixop {
namespace {

/// What all parts share.
template <class Interface>
class Named : public Interface {
 public:
  Named(Part<StrategyPart> part, const std::string& name)
      : own_(std::move(part)),
        interface_(as<Interface>(*own_, name)),
        called_(std::string(Interface::slot.name) + " '" + name + "'") {}

  NamedTensors save() const override {
    return naming(called_, "save", [&] { return own_->save(); });
  }
  void load(const NamedTensors& tensors) override {
    naming(called_, "load", [&] { own_->load(tensors); });
  }
  std::map<std::string, double> measured() const override {
    return naming(called_, "measured", [&] { return own_->measured(); });
  }

 protected:
  template <class Call>
  decltype(auto) ask(const char* what, Call&& call) const {
    return naming(called_, what, [&] { return call(interface_); });
  }

 private:
  Part<StrategyPart> own_;
  Interface& interface_;
  std::string called_;
};

class NamedRelaxation final : public Named<Relaxation> {
  using Named::Named;
  Relaxed relax(const at::Tensor& alphas, const RelaxationContext& how) const override {
    return ask("relax", [&](Relaxation& own) { return own.relax(alphas, how); });
  }
};

class NamedHypergradient final : public Named<Hypergradient> {
  using Named::Named;
  std::vector<at::Tensor> alpha_gradients(BilevelProblem& problem) override {
    return ask("alpha_gradients", [&](Hypergradient& own) { return own.alpha_gradients(problem); });
  }
  std::vector<at::Tensor> weight_gradients(BilevelProblem& problem) override {
    return ask("weight_gradients", [&](Hypergradient& own) { return own.weight_gradients(problem); });
  }
};

class NamedRegulariser final : public Named<Regulariser> {
  using Named::Named;
  at::Tensor term(const std::vector<at::Tensor>& alphas, const std::vector<Relaxed>& relaxed,
                  const SearchPosition& at) const override {
    return ask("term", [&](Regulariser& own) { return own.term(alphas, relaxed, at); });
  }
};

class NamedEdgeRule final : public Named<EdgeRule> {
  using Named::Named;
  EdgeRuleData rule() const override {
    return ask("rule", [](EdgeRule& own) { return own.rule(); });
  }
};

class NamedStopper final : public Named<Stopper> {
  using Named::Named;
  std::string reason_to_stop(const EpochReport& report) override {
    return ask("reason_to_stop", [&](Stopper& own) { return own.reason_to_stop(report); });
  }
};

class NamedDeriver final : public Named<Deriver> {
  using Named::Named;
  Genotype derive(const std::vector<AlphaSet>& alphas, const std::vector<at::Tensor>& relaxed) const override {
    return ask("derive", [&](Deriver& own) { return own.derive(alphas, relaxed); });
  }
};

class NamedSpace final : public SearchSpace {
 public:
  NamedSpace(Part<SearchSpace> space, const std::string& name)
      : own_(std::move(space)), called_("space '" + name + "'") {}

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

using Wrap = Part<StrategyPart> (*)(Part<StrategyPart>, const std::string&);

template <class NamedPart>
Part<StrategyPart> wrapped(Part<StrategyPart> part, const std::string& name) {
  return {new NamedPart(std::move(part), name), {[](void* object) { delete static_cast<StrategyPart*>(object); }}};
}

/// In the order of the slots.
constexpr std::array<Wrap, 6> kWraps = {wrapped<NamedRelaxation>,  wrapped<NamedHypergradient>,
                                        wrapped<NamedRegulariser>, wrapped<NamedEdgeRule>,
                                        wrapped<NamedStopper>,     wrapped<NamedDeriver>};
static_assert(kWraps.size() == strategy_slots.size());

}  // namespace

Part<StrategyPart> with_name(Part<StrategyPart> part, const StrategySlot& slot, const std::string& name) {
  return kWraps[slot_index(slot.name)](std::move(part), name);
}

Part<SearchSpace> with_name(Part<SearchSpace> space, const std::string& name) {
  return {new NamedSpace(std::move(space), name), {[](void* object) { delete static_cast<SearchSpace*>(object); }}};
}

}  // namespace mixop
