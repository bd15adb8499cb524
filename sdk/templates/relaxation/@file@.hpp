#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

// The softmax of the alphas over a temperature that falls from `start` in the first epoch to `end` in the last one by
// equal factors.
class @class@ : public mixop::Relaxation {
 public:
  static constexpr MixopOptionSpec options[] = {
      mixop::option(MIXOP_OPTION_REAL, "start", "5", "Temperature of the first epoch, above 0."),
      mixop::option(MIXOP_OPTION_REAL, "end", "0.5", "Temperature of the last epoch, above 0."),
  };

  explicit @class@(const mixop::Options& given) : start_(given.real("start")), end_(given.real("end")) {
    if (!(start_ > 0 && end_ > 0))
      throw mixop::Error(mixop::ErrorCode::usage, "@name@: start and end: expected numbers above 0, found " +
                                                      given.text("start") + " and " + given.text("end"));
  }

  // Alphas are [..., edges, operations]. The weights must be a function of the arguments alone, with a gradient.
  mixop::Relaxed relax(const at::Tensor& alphas, const mixop::RelaxationContext& how) const override {
    return {at::softmax(alphas / temperature(how.position), -1)};
  }

  double temperature(const mixop::SearchPosition& at) const {
    const double way = static_cast<double>(at.epoch) / static_cast<double>(std::max<std::int64_t>(at.epochs - 1, 1));
    return start_ * std::pow(end_ / start_, way);
  }

 private:
  double start_, end_;
};
