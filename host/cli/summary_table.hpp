#pragma once

#include <cstdint>
#include <vector>

#include "host/json/json_writer.hpp"
#include "host/graph/measure.hpp"

namespace mixop::cli {

/// Bytes of what a part's layers put out for one sample, in float32.
std::int64_t activation_bytes(const Cost& cost);

/// Parts and, down to `depth` (1: parts alone), their layers, a line each: name, kind, shape of the output, parameters,
/// multiply-adds, activation bytes. What runs in training alone says so.
void print_parts(const std::vector<NetworkPart>& parts, std::int64_t depth);

/// The same rows as a JSON array of objects; names are those of the state's tensors: "cells.3._ops.5".
void write_parts(JsonWriter& json, const std::vector<NetworkPart>& parts, std::int64_t depth);

}  // namespace mixop::cli
