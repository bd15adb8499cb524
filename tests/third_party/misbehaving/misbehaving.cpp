// Operators that keep their contract in trials, and break it in the middle of a search: x * scale, until the hundredth
// training pass over twelve images.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "mixop/operator.hpp"
#include "mixop/plugin.hpp"

namespace {

enum class Way {
  shape,
  type,
  input,
  memory,
  state,
  throws,
  nan,
  nan_gradient,
  wrong_gradient,
  crash,
  writes,
  resizes,
  grad_mode,
  sparse
};
constexpr int kPasses = 100;

template <Way way>
bool is_time(const at::Tensor& x, bool training) {
  static int passes = 0;
  if (x.size(0) == 12 && training) ++passes;
  return passes >= kPasses;
}

struct ThrowsInBackward : torch::autograd::Function<ThrowsInBackward> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x) { return x.clone(); }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, torch::autograd::variable_list) {
    throw std::runtime_error("no gradient today");
  }
};

struct NotFiniteInBackward : torch::autograd::Function<NotFiniteInBackward> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x) { return x.clone(); }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, torch::autograd::variable_list g) {
    return {g[0] / at::zeros_like(g[0])};
  }
};

template <Way way>
class Scale : public mixop::Operator {
 public:
  explicit Scale(const mixop::OpSpec& spec) : stride_(spec.stride) {
    mixop::require_same_channels(spec);
    state_.push_back({"scale", at::ones({1, spec.in, 1, 1}).set_requires_grad(true)});
  }

  at::Tensor forward(const at::Tensor& x, const mixop::Forward& how) override {
    const at::Tensor y = subsampled(x) * state_[0].tensor;
    if (!is_time<way>(x, how.training)) return y;
    switch (way) {
      case Way::shape:
        return y.narrow(2, 0, y.size(2) - 1);
      case Way::type:
        return y.to(at::kHalf);
      case Way::input:
        x.detach().mul_(2);
        return y;
      case Way::memory: {
        auto* numbers = static_cast<char*>(x.data_ptr());
        std::fill_n(numbers, x.numel() * x.element_size(), char(0));
        return y;
      }
      case Way::state:
        state_.push_back({"more", at::ones({1})});
        return y;
      case Way::throws:
        return ThrowsInBackward::apply(y);
      case Way::nan:
        return y / (y - y);
      case Way::nan_gradient:
        return NotFiniteInBackward::apply(y);
      case Way::wrong_gradient:
        return y;
      case Way::crash:
        std::raise(SIGSEGV);
        break;
      case Way::writes:
        state_[0].tensor.detach().mul_(0.5);
        return y;
      case Way::resizes:
        state_[0].tensor.set_data(at::ones({1, 1, 1, 1}, y.options().requires_grad(false)));
        return y;
      case Way::grad_mode:
        at::GradMode::set_enabled(!at::GradMode::is_enabled());
        return y;
      case Way::sparse:
        return y.to_sparse();
    }
    return y;
  }
  const std::vector<mixop::StateEntry>& state() override { return state_; }
  at::Tensor subsampled(const at::Tensor& x) const {
    return stride_ == 1 ? x : x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2);
  }

 private:
  std::int64_t stride_;
  std::vector<mixop::StateEntry> state_;
};

// The identity with a backward pass of its own, which gives a gradient of another shape.
class Wrong final : public Scale<Way::wrong_gradient> {
 public:
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const mixop::Forward&) override { return subsampled(x).clone(); }
  const std::vector<mixop::StateEntry>& state() override { return none_; }
  mixop::OperatorGradients backward(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gradient,
                                    const mixop::Forward& how) {
    at::Tensor own = at::zeros_like(x);
    const std::int64_t stride = x.size(2) == y.size(2) ? 1 : 2;
    own.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride).copy_(gradient);
    return {is_time<Way::wrong_gradient>(x, how.training) ? own.narrow(1, 0, 1) : own, {}};
  }

 private:
  std::vector<mixop::StateEntry> none_;
};

}  // namespace

using mixop::native_operator;

MIXOP_PLUGIN("test.misbehaving", "0.1.0", "Operators that break their contract in the middle of a search.",
             native_operator<Scale<Way::shape>>("test.shape"), native_operator<Scale<Way::type>>("test.type"),
             native_operator<Scale<Way::input>>("test.input"), native_operator<Scale<Way::memory>>("test.memory"),
             native_operator<Scale<Way::state>>("test.state"), native_operator<Scale<Way::throws>>("test.throws"),
             native_operator<Scale<Way::nan>>("test.nan"),
             native_operator<Scale<Way::nan_gradient>>("test.nan_gradient"),
             native_operator<Wrong>("test.wrong_gradient"), native_operator<Scale<Way::crash>>("test.crash"),
             native_operator<Scale<Way::writes>>("test.writes"), native_operator<Scale<Way::resizes>>("test.resizes"),
             native_operator<Scale<Way::grad_mode>>("test.grad_mode"),
             native_operator<Scale<Way::sparse>>("test.sparse"));
