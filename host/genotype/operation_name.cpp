#include "host/genotype/operation_name.hpp"

#include <algorithm>

#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

bool is_value(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', '-');
  return is_plain_name(plain);
}

bool is_setting(std::string_view text) {
  const auto cut = text.find('=');
  return cut != std::string_view::npos && is_plain_name(text.substr(0, cut)) && is_value(text.substr(cut + 1));
}

}  // namespace

bool is_component_name(std::string_view name) {
  const auto cut = name.find('/');
  return cut == std::string_view::npos ? is_plain_name(name)
                                       : is_plain_name(name.substr(0, cut)) && is_plain_name(name.substr(cut + 1));
}

bool is_operation_name(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  return text.find_first_of(" \t") == std::string_view::npos && !parts.empty() && is_component_name(parts.front()) &&
         std::all_of(parts.begin() + 1, parts.end(), is_setting);
}

std::string_view component_of(std::string_view operation) { return operation.substr(0, operation.find(':')); }

std::map<std::string, std::string> options_in(std::string_view operation) {
  if (!is_operation_name(operation))
    throw Error(ErrorCode::usage,
                "expected " + std::string(kOperationName) + ", found '" + excerpt(std::string(operation)) + "'");
  std::map<std::string, std::string> options;
  const std::vector<std::string> parts = split(operation, ':');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto cut = parts[i].find('=');
    if (!options.emplace(parts[i].substr(0, cut), parts[i].substr(cut + 1)).second)
      throw Error(ErrorCode::usage, "operation '" + std::string(operation) + "': option '" + parts[i].substr(0, cut) +
                                        "' stands twice; remove one");
  }
  return options;
}

}  // namespace mixop
