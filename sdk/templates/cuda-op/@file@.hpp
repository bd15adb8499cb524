#pragma once

#include "@file@_pass.hpp"
#include "mixop/stable_operator.hpp"

// The operator: @file@_pass.hpp says what it computes.
class @class@ {
 public:
  explicit @class@(const mixop::OpSpec& spec) : stride_(spec.stride) { mixop::require_same_channels(spec); }

  mixop::StableTensor forward(const mixop::StableTensor& x, const mixop::Forward&) const {
    const std::int64_t height = (x.size(2) + stride_ - 1) / stride_, width = (x.size(3) + stride_ - 1) / stride_;
    const auto y = torch::stable::new_empty(x, {x.size(0), x.size(1), height, width});
    run(x, y, /*backward=*/false);
    return y;
  }

  mixop::StableTensor backward(const mixop::StableTensor& x, const mixop::StableTensor&,
                               const mixop::StableTensor& grad_y, const mixop::Forward&) const {
    const auto grad_x = torch::stable::new_empty(x, x.sizes());
    run(grad_y, grad_x, /*backward=*/true);
    return grad_x;
  }

  static mixop::OperatorCost cost(const mixop::OpSpec& spec, const mixop::ImageShape& in) {
    return {.activations = mixop::numbers_of(mixop::strided(in, spec.stride))};
  }

 private:
  void run(const mixop::StableTensor& source, const mixop::StableTensor& target, bool backward) const {
    const bool cuda = mixop::on_cuda(source);
    const auto from = torch::stable::contiguous(source);
    mixop::with_floating_type(from, [&](auto zero) {
      using T = decltype(zero);
      const @class@Pass<T> pass{from.const_data_ptr<T>(), target.mutable_data_ptr<T>(), target.numel(), from.size(2),
                                from.size(3), target.size(2), target.size(3), stride_, backward};
      if (cuda) return run_on_cuda(pass, from.get_device_index());
      torch::stable::parallel_for(0, pass.count, 4096, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) pass.to[i] = pass.at(i);
      });
    });
  }

  std::int64_t stride_;
};
