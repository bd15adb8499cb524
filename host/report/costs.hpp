#pragma once

#include "host/archive/archive.hpp"
#include "host/json/json_writer.hpp"
#include "host/session/application.hpp"

namespace mixop {

/// What networks of a checked archive cost, as the members "costs", a list of {"of", "parameters", "multiply_adds",
/// "uncounted"}, and "costs_problem", why one could not be counted: of a training its network, of a search the supernet
/// of its first epoch and the network of its last genotype in the search's own size.
void write_costs(JsonWriter& json, const Archive& archive, const Application& application);

}  // namespace mixop
