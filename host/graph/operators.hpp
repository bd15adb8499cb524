#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/plugins/option_values.hpp"
#include "mixop/abi/ext/cost.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/abi/operator.h"
#include "mixop/graph.hpp"

namespace mixop {

/// Where operators are found by the names that users write.
class OperatorCatalog {
 public:
  virtual ~OperatorCatalog() = default;
  /// Names belong to a domain: `none` is an image operation and an activation. Throws a usage error that names the
  /// nearest known operator.
  virtual const MixopOperator& find_operator(const std::string& name, Domain domain) const = 0;
  /// The id of the plugin that an operator comes from; empty where it is of none.
  virtual std::string plugin_of(const std::string&, Domain) const { return {}; }

 protected:
  OperatorCatalog() = default;
};

/// Whether the operator has code of its own, which runs whatever it describes; otherwise it is its structure.
inline bool has_own_code(const MixopOperator& table) { return table.create != nullptr; }

/// The table of an extension, or null where the operator does not have it.
template <class Table>
const Table* extension_of(const MixopOperator& table, const char* id) {
  return table.get_extension == nullptr ? nullptr : static_cast<const Table*>(table.get_extension(id));
}

/// A spec as an operator reads it: the options that its name sets, over the defaults of the others. An option that the
/// operator does not declare, and a value that does not fit, is a usage error.
class AbiSpec {
 public:
  AbiSpec(const MixopOperator& table, const std::string& name, const OpSpec& spec);
  /// As long as this object lives.
  const MixopOpSpec* get() const { return &spec_; }

 private:
  OptionValues options_;
  MixopOpSpec spec_{};
};

/// What the operator says of its structure, checked: every stage of a known kind, on values before it. Throws what the
/// operator throws, and a plugin error where the structure is not sound; both name the operator.
std::optional<Structure> structure_of(const MixopOperator& table, const std::string& name, const OpSpec& spec);

/// What the operator says of its cost for one sample of that input, where it says anything.
std::optional<MixopCost> cost_of(const MixopOperator& table, const std::string& name, const OpSpec& spec,
                                 const ImageShape& input);

}  // namespace mixop
