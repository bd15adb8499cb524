#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "mixop/abi/option.h"

namespace mixop {

/// The options of one component: its declared defaults with the user's values over them, checked and ready for the
/// component's `create` or `open`.
class OptionValues {
 public:
  /// Throws a usage error for an option that the component does not declare (naming the nearest one) and for a value
  /// that its type does not allow. `component` is the name that messages give.
  OptionValues(const std::string& component, const MixopOptionSpec* specs, std::size_t count,
               const std::map<std::string, std::string>& given = {});

  const MixopOptionValue* data() const { return pointers_.data(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(pointers_.size()); }
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
  std::vector<MixopOptionValue> pointers_;  // into values_
};

/// Whether `value` is a text of option type `type` (MIXOP_OPTION_*): "true" or "false", an integer, a finite number.
bool option_value_fits(int type, const std::string& value);

}  // namespace mixop
