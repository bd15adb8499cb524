#pragma once

#include <cstdint>
#include <vector>

#include "host/runtime/fused/maps.hpp"
#include "host/runtime/fused/packed.hpp"

namespace mixop {

/// The factors of a weighted sum of maps and the norms that their readers apply, as the kernel `combine` takes them: a
/// scale for each term and one shift, by channel.
template <class T>
struct SumScales {
  SumScales(const std::vector<double>& factors, const std::vector<Maps<T>>& maps, std::int64_t period) {
    const auto channels = static_cast<std::size_t>(maps.front().channels);
    std::vector<double> shifts(channels, 0);
    for (std::size_t t = 0; t < maps.size(); ++t) {
      const ChannelAffine& norm = maps[t].norm;
      std::vector<double> scale(channels, factors[t]);
      for (std::size_t c = 0; c < channels && !norm.scale.empty(); ++c) {
        scale[c] *= norm.scale[c];
        shifts[c] += factors[t] * norm.shift[c];
      }
      terms.push_back(tiled<T>(scale, period));
    }
    shift = tiled<T>(shifts, period);
  }

  std::vector<std::vector<T>> terms;
  std::vector<T> shift;
};

}  // namespace mixop
