#include "distance_stopper.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <set>

#include "mixop/distance.hpp"

namespace mixop::ddarts {

DistanceStopper::DistanceStopper(const Options& options)
    : tolerance_(options.real("tolerance")), patience_(options.integer("patience")) {
  const auto refuse = [&](const std::string& name, const std::string& expected) {
    throw Error(ErrorCode::usage,
                "distance." + name + ": expected a number " + expected + ", found " + options.text(name));
  };
  if (!(tolerance_ > 0)) refuse("tolerance", "above 0");
  if (patience_ < 0) refuse("patience", "from 0 on");
}

std::string DistanceStopper::reason_to_stop(const EpochReport& report) {
  std::set<std::string> candidates;
  for (const AlphaSet& set : *report.alphas)
    candidates.insert(set.topology.operations.begin(), set.topology.operations.end());
  distance_ = architecture_distance(*report.before, *report.genotype, weights_for(candidates));
  if (!report.alphas_moved) return "";
  calm_ = last_ && std::abs(distance_ - *last_) < tolerance_ ? calm_ + 1 : 0;
  last_ = distance_;
  if (patience_ == 0 || calm_ < patience_) return "";
  return "the distance between the genotypes of two epochs has settled: changes below distance.tolerance for " +
         std::to_string(calm_) + " epochs";
}

NamedTensors DistanceStopper::save() const {
  if (!last_) return {};
  return {{"last", at::tensor(*last_, at::kDouble)}, {"calm", at::tensor(calm_, at::kLong)}};
}

void DistanceStopper::load(const NamedTensors& state) {
  last_.reset();
  calm_ = 0;
  if (state.empty()) return;
  const auto number = [&](const char* name, at::ScalarType type) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.numel() != 1 || found->second.scalar_type() != type)
      throw Error(ErrorCode::bad_data, std::string("the stopper distance finds no number '") + name +
                                           "' in its state; was it written by another version of a plugin?");
    return found->second;
  };
  last_ = number("last", at::kDouble).item<double>();
  calm_ = number("calm", at::kLong).item<std::int64_t>();
}

}  // namespace mixop::ddarts
