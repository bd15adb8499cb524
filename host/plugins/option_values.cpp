#include "host/plugins/option_values.hpp"

#include <array>
#include <cmath>
#include <cstdint>

#include "host/plugins/names.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

std::string expected_text(int type) {
  constexpr std::array<const char*, 5> kExpected = {"true or false", "an integer", "a number", "a text", "a list"};
  return kExpected[static_cast<std::size_t>(type)];
}

}  // namespace

bool option_value_fits(int type, const std::string& value) {
  switch (type) {
    case MIXOP_OPTION_BOOL:
      return value == "true" || value == "false";
    case MIXOP_OPTION_INTEGER:
      return number_of<std::int64_t>(value).has_value();
    case MIXOP_OPTION_REAL:
      return std::isfinite(number_of<double>(value).value_or(INFINITY));
    default:
      return type == MIXOP_OPTION_TEXT || type == MIXOP_OPTION_LIST;
  }
}

OptionValues::OptionValues(const std::string& component, const MixopOptionSpec* specs, std::size_t count,
                           const std::map<std::string, std::string>& given) {
  std::map<std::string, int> types;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    values_[specs[i].name] = specs[i].default_value;
    types[specs[i].name] = specs[i].type;
    names.emplace_back(specs[i].name);
  }
  for (const auto& [name, value] : given) {
    const auto type = types.find(name);
    if (type == types.end()) throw Error(ErrorCode::usage, unknown_name("option of " + component, name, names));
    if (!option_value_fits(type->second, value))
      throw Error(ErrorCode::usage, "option " + component + "." + name + ": expected " + expected_text(type->second) +
                                        ", found '" + excerpt(value) + "'");
    values_[name] = value;
  }
  for (const auto& [name, value] : values_) pointers_.push_back({name.c_str(), value.c_str()});
}

}  // namespace mixop
