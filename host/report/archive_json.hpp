#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/json/json_writer.hpp"

namespace mixop {

/// Metric values by name; those of epochs only.
std::map<std::string, std::vector<double>> epoch_metrics(const Archive& archive);

/// Which network of a training its archive holds in /weights.
struct HeldNetwork {
  std::int64_t epoch, averaged_steps;  ///< averaged_steps is below 1 where its weights are no average
  bool best;
};

HeldNetwork held_network(const Archive& archive);

/// Where an archive comes from, as an object.
void write_provenance(JsonWriter& json, const Archive& archive);

/// What a checked archive of a search or a training tells, as members of the open object: config, provenance, epochs
/// with their metrics, of a search with a genotype each, and what else `mixop inspect --json` prints.
void write_archive(JsonWriter& json, const Archive& archive);

}  // namespace mixop
