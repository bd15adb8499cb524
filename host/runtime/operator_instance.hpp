#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "mixop/operator.hpp"

namespace mixop {

/// An operator of any plugin, built: what spaces and the host work with. Shares ownership when copied.
class OperatorInstance {
 public:
  /// Throws what the plugin reports, naming the operator.
  OperatorInstance(const MixopOperator& table, std::string name, const OpSpec& spec);

  /// Differentiable in the input and the parameters; where the operator exports a backward, through a node made here.
  at::Tensor forward(const at::Tensor& input, const Forward& how) const;
  const std::vector<StateEntry>& state() const { return state_; }
  const std::vector<MixopStage>& structure() const { return structure_; }
  const std::string& name() const { return name_; }
  /// Multiply-adds as the operator tells them; its name is among `uncounted` where it does not. Without a structure its
  /// output counts as the only one.
  Cost cost(const ImageShape& input) const;

 private:
  std::string name_;
  std::int64_t stride_;
  const MixopOperator* table_;
  std::shared_ptr<MixopOpInstance> instance_;
  std::vector<StateEntry> state_;
  std::vector<MixopStage> structure_;
};

/// Where spaces find operators by the names that users write.
class OperatorCatalog {
 public:
  virtual ~OperatorCatalog() = default;
  /// Names belong to a domain: `none` is an image operation and an activation. Throws a usage error that names the
  /// nearest known operator.
  virtual const MixopOperator& find_operator(const std::string& name, Domain domain) const = 0;

 protected:
  OperatorCatalog() = default;
};

}  // namespace mixop
