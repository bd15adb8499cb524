#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/graph/operators.hpp"
#include "host/runtime/module.hpp"
#include "host/runtime/own_code.hpp"

namespace mixop {

/// An operator of any plugin, built. Shares ownership when copied.
class OperatorInstance {
 public:
  /// Throws what the plugin reports, naming the operator. `place` is what messages say of it beside its name.
  OperatorInstance(const MixopOperator& table, std::string name, const OpSpec& spec, const Target& target = {},
                   const std::string& place = "");

  /// Its own code where it has some, otherwise its structure. Differentiable in the input and the parameters; where the
  /// operator exports a backward by that. Its own code is held to its contract at every call (OwnCode).
  at::Tensor forward(const at::Tensor& input, const Forward& how) const;
  const std::vector<StateEntry>& state() const { return state_; }
  const std::string& name() const { return name_; }
  bool has_own_code() const { return code_ != nullptr; }
  /// What runs where it has no code of its own, else empty.
  const Module& module() const { return module_; }
  /// What it describes, run or not.
  const std::optional<Structure>& structure() const { return structure_; }

 private:
  std::string name_;
  std::optional<Structure> structure_;
  Module module_;                        // where it has no code of its own
  std::shared_ptr<const OwnCode> code_;  // where it has
  std::vector<StateEntry> state_;
};

/// Changes the type and device of state in place: whoever shares the tensors sees them change.
void convert(const std::vector<StateEntry>& state, const Target& target);

}  // namespace mixop
