#pragma once

#include "mixop/stable_operator.hpp"

// Every channel moved by one pixel, in one of nine directions, with zeros from outside (Wu et al., CVPR 2018, "Shift"):
// y[n, c, i, j] = x[n, c, stride * i + c / 3 % 3 - 1, stride * j + c % 3 - 1].
class @class@ {
 public:
  explicit @class@(const mixop::OpSpec& spec) : stride_(spec.stride) { mixop::require_same_channels(spec); }

  mixop::StableTensor forward(const mixop::StableTensor& input, const mixop::Forward&) const {
    mixop::require_cpu(input);
    const auto x = torch::stable::contiguous(input);
    const std::int64_t height = (x.size(2) + stride_ - 1) / stride_, width = (x.size(3) + stride_ - 1) / stride_;
    const auto y = torch::stable::new_zeros(x, {x.size(0), x.size(1), height, width});
    mixop::with_floating_type(x, [&](auto zero) {
      const auto* from = x.const_data_ptr<decltype(zero)>();
      auto* to = y.mutable_data_ptr<decltype(zero)>();
      for_each_move(x, y, [=](std::int64_t in_x, std::int64_t in_y) { to[in_y] = from[in_x]; });
    });
    return y;
  }

  // The gradient takes the same ways back.
  mixop::StableTensor backward(const mixop::StableTensor& x, const mixop::StableTensor&,
                               const mixop::StableTensor& grad_output, const mixop::Forward&) const {
    const auto grad_y = torch::stable::contiguous(grad_output), grad_x = torch::stable::new_zeros(x, x.sizes());
    mixop::with_floating_type(x, [&](auto zero) {
      const auto* from = grad_y.const_data_ptr<decltype(zero)>();
      auto* to = grad_x.mutable_data_ptr<decltype(zero)>();
      for_each_move(grad_x, grad_y, [=](std::int64_t in_x, std::int64_t in_y) { to[in_x] = from[in_y]; });
    });
    return grad_x;
  }

  static mixop::OperatorCost cost(const mixop::OpSpec& spec, const mixop::ImageShape& in) {
    return {.activations = mixop::numbers_of(mixop::strided(in, spec.stride))};
  }

 private:
  // Calls move(place in x, place in y) for every element of y that is one of x.
  template <class Move>
  void for_each_move(const mixop::StableTensor& x, const mixop::StableTensor& y, const Move& move) const {
    const std::int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
    const std::int64_t rows = y.size(2), columns = y.size(3);
    torch::stable::parallel_for(0, x.size(0) * channels, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t j = 0; j < columns; ++j) {
            const std::int64_t channel = plane % channels;
            const std::int64_t p = stride_ * i + channel / 3 % 3 - 1, q = stride_ * j + channel % 3 - 1;
            if (p >= 0 && p < height && q >= 0 && q < width)
              move((plane * height + p) * width + q, (plane * rows + i) * columns + j);
          }
    });
  }

  std::int64_t stride_;
};
