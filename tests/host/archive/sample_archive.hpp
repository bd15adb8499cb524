#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"

namespace mixop::test {

/// A small archive with one of each thing. `loss` sets its one varying number.
inline ArchiveBuilder sample_archive(double loss = 0.5) {
  ArchiveBuilder archive;
  const std::vector<double> alphas(2 * 3 * 2, 0.25), losses = {2.3, loss};
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> order = {3, 1, 2};
  const std::int64_t tracked = 7;
  archive.attribute("/", "seed", std::int64_t{2});
  archive.text("/config/resolved", "{\"seed\": 2}");
  archive.texts("/operations", {"none", "skip_connect"});
  archive.array<double>("/alphas/normal", {2, 3, 2}, alphas);
  archive.scale("/alphas/normal", 2, "/operations", "operation");
  archive.array<double>("/metrics/loss", {2}, losses);
  archive.attribute("/metrics", "unit", std::string("nats"));
  archive.attribute("/metrics/loss", "best", loss);
  archive.array<float>("/weights/stem.0.weight", {2, 3}, weights);
  archive.array<std::int64_t>("/weights/a.last", {3}, order);
  archive.array("/buffers/tracked", ElementType::int64, {}, &tracked);
  archive.array("/buffers/empty", ElementType::float32, {0, 4}, nullptr);
  return archive;
}

/// The text of the error that `body` throws, or "" where it throws none; the code must be `code`.
template <class Body>
std::string archive_error(ErrorCode code, Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.code() == code ? e.what() : std::string("wrong code: ") + e.what();
  }
  return "";
}

}  // namespace mixop::test
