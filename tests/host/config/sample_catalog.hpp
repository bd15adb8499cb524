#pragma once

#include "host/config/schema.hpp"

namespace mixop::test {

/// Options of a data set and of a stopper, one of each type, one of an operator, and a strategy that brings a value.
inline OptionCatalog sample_catalog() {
  const auto spec = [](int type, const char* name, const char* value) {
    return MixopOptionSpec{sizeof(MixopOptionSpec), type, name, value, "For tests."};
  };
  NamedStrategy haunted{{{"relaxation", {"softmax"}}, {"stopper", {"acme.ghost", {{"mode", "slow"}}}}}, "For tests."};
  OptionCatalog catalog;
  catalog.components = {
      {"drawn",
       {spec(MIXOP_OPTION_INTEGER, "classes", "10"), spec(MIXOP_OPTION_REAL, "noise", "0.5"),
        spec(MIXOP_OPTION_BOOL, "grey", "false"), spec(MIXOP_OPTION_LIST, "shapes", "disc,square")}},
      {"acme.ghost", {spec(MIXOP_OPTION_TEXT, "mode", "fast")}}};
  catalog.operators = {{"acme.shift", {spec(MIXOP_OPTION_INTEGER, "distance", "1")}}};
  catalog.strategies = {{"haunted", haunted}};
  return catalog;
}

/// The text of the error that `body` throws, or "" where it throws none; the code must be `code`.
template <class Body>
std::string error_of(ErrorCode code, Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.code() == code ? e.what() : std::string("wrong code: ") + e.what();
  }
  return "";
}

}  // namespace mixop::test
