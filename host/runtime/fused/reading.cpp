#include "host/runtime/fused/reading.hpp"

#include <algorithm>

namespace mixop {
namespace {

/// The distance from the first to the last place of a window.
std::int64_t span(const Window& window, std::size_t axis) { return window.dilation[axis] * (window.kernel[axis] - 1); }

}  // namespace

Reading reading_of(std::int64_t height, std::int64_t width, std::int64_t channels, const std::vector<Window>& windows,
                   std::int64_t period) {
  const Window& first = windows.front();
  const auto out = [&](std::int64_t size, std::size_t axis) {
    return (size + 2 * first.padding[axis] - span(first, axis) - 1) / first.stride[axis] + 1;
  };
  Reading reading;
  reading.height = out(height, 0);
  reading.width = out(width, 1);
  Pair border{0, 0}, reach{0, 0};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    for (const Window& window : windows) border[axis] = std::max(border[axis], window.padding[axis]);
    for (const Window& window : windows)
      reach[axis] = std::max(reach[axis], border[axis] - window.padding[axis] + window.shift[axis] + span(window, axis));
  }
  cpu::PaddedMap& map = reading.map;
  map = {height, width, channels, border[0], border[1], first.stride[1], 0, 0, 0};
  map.rows = std::max(border[0] + height, (reading.height - 1) * first.stride[0] + reach[0] + 1);
  const std::int64_t columns = std::max(border[1] + width, (reading.width - 1) * first.stride[1] + reach[1] + 1);
  const std::int64_t numbers = (columns + map.stride - 1) / map.stride * channels;
  map.phase = (numbers + period - 1) / period * period;
  map.row = map.phase * map.stride;
  reading.row = first.stride[0] * map.row;
  for (const Window& window : windows) {
    std::vector<std::int64_t>& offsets = reading.offsets.emplace_back();
    const std::int64_t top = border[0] - window.padding[0] + window.shift[0];
    const std::int64_t left = border[1] - window.padding[1] + window.shift[1];
    for (std::int64_t i = 0; i < window.kernel[0]; ++i)
      for (std::int64_t j = 0; j < window.kernel[1]; ++j)
        offsets.push_back(map.offset(top + i * window.dilation[0], left + j * window.dilation[1]));
  }
  return reading;
}

bool has_transposed(const Window& window) {
  return window.stride == Pair{1, 1} && window.shift == Pair{0, 0} && window.padding[0] <= span(window, 0) &&
         window.padding[1] <= span(window, 1);
}

Window transposed(const Window& window) {
  Window result = window;
  for (std::size_t axis = 0; axis < 2; ++axis) result.padding[axis] = span(window, axis) - window.padding[axis];
  return result;
}

}  // namespace mixop
