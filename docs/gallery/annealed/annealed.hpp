#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

// The softmax of the alphas over a temperature that falls by a cosine from `start` in the first epoch to `end` in the
// last one: DARTS (Liu et al., ICLR 2019, equation 2) at temperature 1. High ones let all operations learn, low ones
// bring the mixture close to the one operation that will be derived.
class Annealed : public mixop::Relaxation {
 public:
  static constexpr MixopOptionSpec options[] = {
      mixop::option(MIXOP_OPTION_REAL, "start", "5", "Temperature of the first epoch, above 0."),
      mixop::option(MIXOP_OPTION_REAL, "end", "0.5", "Temperature of the last epoch, above 0."),
  };

  explicit Annealed(const mixop::Options& given) : start_(given.real("start")), end_(given.real("end")) {
    for (const char* name : {"start", "end"})
      if (!(given.real(name) > 0))
        throw mixop::Error(mixop::ErrorCode::usage, std::string("acme.annealed.") + name +
                                                        ": expected a number above 0, found " + given.text(name));
  }

  // Alphas are [..., edges, operations]. The weights must be a function of the arguments alone, with a gradient.
  mixop::Relaxed relax(const at::Tensor& alphas, const mixop::RelaxationContext& how) const override {
    return {at::softmax(alphas / temperature(how.position), -1)};
  }

  double temperature(const mixop::SearchPosition& at) const {
    const double way = static_cast<double>(at.epoch) / static_cast<double>(std::max<std::int64_t>(at.epochs - 1, 1));
    return end_ + (start_ - end_) * (1 + std::cos(std::numbers::pi * way)) / 2;
  }

 private:
  double start_, end_;
};
