#include "mixop/stable_operator.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "host/runtime/operator_instance.hpp"
#include "tests/catch.hpp"

using Catch::Contains;

namespace mixop {
namespace {

/// y = weight x + the number of training passes before, for float and double.
class Scale {
 public:
  explicit Scale(const OpSpec&)
      : state_{{"weight", torch::stable::full({1}, 3), StateKind::parameter},
               {"passes", torch::stable::full({1}, 0), StateKind::buffer}} {}
  const std::vector<StableStateEntry>& state() { return state_; }

  StableTensor forward(const StableTensor& x, const Forward& how) {
    const auto y = torch::stable::empty_like(x);
    with_floating_type(x, [&](auto zero) {
      using T = decltype(zero);
      T* passes = state_[1].tensor.mutable_data_ptr<T>();
      for (std::int64_t i = 0; i < x.numel(); ++i)
        y.mutable_data_ptr<T>()[i] = *weight<T>() * x.const_data_ptr<T>()[i] + *passes;
      if (how.training && how.update_statistics) *passes = *passes + T(1);
    });
    return y;
  }
  StableGradients backward(const StableTensor& x, const StableTensor&, const StableTensor& grad_y, const Forward&) {
    const auto grad_x = torch::stable::empty_like(x), grad_weight = torch::stable::new_zeros(x, {1});
    with_floating_type(x, [&](auto zero) {
      using T = decltype(zero);
      const T* g = grad_y.const_data_ptr<T>();
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        grad_x.mutable_data_ptr<T>()[i] = *weight<T>() * g[i];
        T* const sum = grad_weight.mutable_data_ptr<T>();
        *sum = *sum + g[i] * x.const_data_ptr<T>()[i];
      }
    });
    return {grad_x, {grad_weight}};
  }
  static OperatorCost cost(const OpSpec&, const ImageShape& in) { return {1, 0, numbers_of(in)}; }

 private:
  template <class T>
  const T* weight() const { return state_[0].tensor.const_data_ptr<T>(); }
  std::vector<StableStateEntry> state_;
};

template <class Class>
OperatorInstance made(const OpSpec& spec = {2, 2, 1, false}, const Target& target = {at::kCPU, at::kDouble}) {
  static const MixopComponent component = stable_operator<Class>("op");
  return {*static_cast<const MixopOperator*>(component.table), "op", spec, target};
}

/// Differentiated by LibTorch, for it has no backward of its own.
struct RowSums {
  explicit RowSums(const OpSpec& spec) { require_same_channels(spec); }
  StableTensor forward(const StableTensor& x, const Forward&) const {
    return torch::stable::matmul(x, torch::stable::full({x.size(3), x.size(3)}, 1, x.scalar_type()));
  }
};

struct Nothing {
  explicit Nothing(const OpSpec&) {}
  StableTensor forward(const StableTensor&, const Forward&) const { return StableTensor(); }
};

struct CallsWrongly {
  explicit CallsWrongly(const OpSpec&) {}
  StableTensor forward(const StableTensor& x, const Forward&) const {
    StableTensor whole = x;
    return torch::stable::narrow(whole, 0, 5, 9);
  }
};

struct OneGradientTooMany : Scale {
  using Scale::Scale;
  StableGradients backward(const StableTensor& x, const StableTensor&, const StableTensor&, const Forward&) {
    return {x, {x, x}};
  }
};

}  // namespace

TEST_CASE("a stable operator's state is live, and its gradients reach input and parameters", "[stable_operator]") {
  const OperatorInstance op = made<Scale>();
  REQUIRE(op.state().size() == 2);
  CHECK(op.state()[0].name == "weight");
  CHECK(op.state()[1].kind == StateKind::buffer);
  at::Tensor weight = op.state()[0].tensor;
  weight.fill_(5);
  weight.set_requires_grad(true);
  const at::Tensor x = at::randn({2, 2, 3, 3}, at::kDouble).set_requires_grad(true), g = at::randn_like(x);
  const at::Tensor y = op.forward(x, Forward{});
  CHECK(at::allclose(y, 5 * x));
  const auto found = torch::autograd::grad({(y * g).sum()}, {x, weight});
  CHECK(at::allclose(found[0], 5 * g));
  CHECK(at::allclose(found[1], (x * g).sum().view({1})));
  CHECK(at::allclose(op.forward(x, Forward{false, false, 0}), 5 * x + 1));
}

TEST_CASE("a stable operator takes float, double and bfloat16", "[stable_operator][misuse]") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const at::Tensor x = at::ones({1, 2, 2, 2}, type);
    CHECK(at::equal(made<Scale>({2, 2, 1, false}, {at::kCPU, type}).forward(x, Forward{}), 3 * x));
  }
  CHECK_THROWS_WITH(made<Scale>().forward(at::ones({1, 2, 2, 2}, at::kInt), Forward{}),
                    Contains("expected elements of type Float, Double or BFloat16, found Int"));
}

TEST_CASE("without a backward of its own LibTorch differentiates what a stable operator calls", "[stable_operator]") {
  const at::Tensor x = at::randn({1, 2, 3, 3}, at::kDouble).set_requires_grad(true);
  const at::Tensor y = made<RowSums>().forward(x, Forward{});
  CHECK(at::equal(torch::autograd::grad({y.sum()}, {x})[0], at::full_like(x, 3)));
}

TEST_CASE("a stable operator's errors say what failed", "[stable_operator][misuse]") {
  const at::Tensor x = at::ones({1, 2, 3, 3}, at::kDouble).set_requires_grad(true);
  CHECK_THROWS_WITH(made<RowSums>({2, 3, 1, false}), Contains("expected as many out as in, found 2 in and 3 out"));
  CHECK_THROWS_WITH(made<Nothing>().forward(x, Forward{}), Contains("forward in training: succeeded but gave no tensor"));
  CHECK_THROWS_WITH(made<CallsWrongly>().forward(x, Forward{}),
                    Contains("forward in training: LibTorch failed in aoti_torch_aten_narrow") && !Contains("API call") &&
                        Contains("its reason stands above on stderr"));
  CHECK_THROWS_WITH(torch::autograd::grad({made<OneGradientTooMany>().forward(x, Forward{}).sum()}, {x}),
                    Contains("expected a gradient for each of 1 parameters, found 2"));
}

TEST_CASE("a stable operator says where it runs", "[stable_operator][misuse]") {
  const auto meta = torch::stable::empty({1}, torch::headeronly::ScalarType::Float, std::nullopt,
                                         torch::stable::Device(torch::headeronly::DeviceType::Meta));
  CHECK_THROWS_WITH(require_cpu(meta), Contains("expected a tensor on the CPU"));
  CHECK_THROWS_WITH(on_cuda(meta), Contains("expected a tensor on the CPU or a CUDA device"));
  CHECK_FALSE(on_cuda(torch::stable::empty({1})));
}

}  // namespace mixop
