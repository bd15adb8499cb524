#include "host/session/seed_candidate.hpp"

#include "host/archive/archive.hpp"
#include "host/search/stored_parts.hpp"

namespace mixop {

Curves curves_of(const std::filesystem::path& archive) {
  Curves curves = stored::record_of(Archive::open(archive)).metrics;
  std::erase_if(curves, [](const auto& curve) { return curve.first.rfind("test_", 0) == 0; });
  return curves;
}

std::string selection_metric(const Task& task) { return std::string("valid_") + task.record_figures().front().name; }

const SeedCandidate* best_of(const std::vector<SeedCandidate>& candidates, const Task& task) {
  const double sign = task.record_figures().front().larger_is_better ? 1 : -1;
  const std::string metric = selection_metric(task);
  const auto rank = [&](const SeedCandidate& candidate) {
    return std::pair(sign * candidate.figure(metric), -candidate.figure("valid_loss"));
  };
  const SeedCandidate* best = nullptr;
  for (const SeedCandidate& candidate : candidates)
    if (candidate.defect.empty() && (best == nullptr || rank(candidate) > rank(*best))) best = &candidate;
  return best;
}

void fail_without_network(const std::string& defect) {
  throw Error(ErrorCode::failed, "none of the networks that were found can be built, the first for this reason: " + defect);
}

}  // namespace mixop
