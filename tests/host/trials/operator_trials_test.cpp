#include "host/trials/operator_trials.hpp"

#include <ATen/ATen.h>

#include <map>

#include "host/runtime/module.hpp"
#include "mixop/operator.hpp"
#include "tests/catch.hpp"

namespace {

using mixop::Domain;
using mixop::Forward;
using mixop::OpSpec;

OpSpec same_channels(const OpSpec& spec) {
  mixop::require_same_channels(spec);
  return spec;
}

// A correct operator: x * weight, strided, plus a buffer that counts training passes. Each test breaks one thing.
struct Scale : mixop::Operator {
  explicit Scale(const OpSpec& given)
      : spec(same_channels(given)),
        weight(at::ones({given.in, 1, 1}).set_requires_grad(true)),
        passes(at::zeros({})),
        entries{{"weight", weight, mixop::StateKind::parameter}, {"passes", passes, mixop::StateKind::buffer}} {}
  at::Tensor forward(const at::Tensor& x, const Forward& how) override {
    if (how.training && how.update_statistics) passes.add_(1);
    return strided(x) * weight;
  }
  const std::vector<mixop::StateEntry>& state() override { return entries; }
  at::Tensor strided(const at::Tensor& x) const {
    return x.slice(2, 0, x.size(2), spec.stride).slice(3, 0, x.size(3), spec.stride);
  }

  OpSpec spec;
  at::Tensor weight, passes;
  std::vector<mixop::StateEntry> entries;
};

struct WrongShape : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override { return Scale::forward(x, how).mean(1, true); }
};
struct NotFinite : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override { return Scale::forward(x, how).log(); }
};
struct Random : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override {
    return Scale::forward(x, how) + at::rand({}, x.options());
  }
};
struct CutGradient : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override {
    return Scale::forward(x, how) + strided(x.detach() * 2);
  }
};
struct CutParameter : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward&) override { return strided(x) * weight.detach(); }
};
struct FloatOnly : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override { return Scale::forward(x, how).to(at::kFloat); }
};
struct AlwaysCounts : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override {
    passes.add_(1);
    return Scale::forward(x, how);
  }
};
struct WritesInput : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override {
    x.detach().mul_(0.5);
    return Scale::forward(x, how);
  }
};
struct CopiesState : Scale {
  explicit CopiesState(const OpSpec& spec) : Scale(spec) { entries[0].tensor = weight.detach().clone(); }
};
struct SameNames : Scale {
  explicit SameNames(const OpSpec& spec) : Scale(spec) { entries[1].name = "weight"; }
};
struct NegativeCost : Scale {
  using Scale::Scale;
  static mixop::OperatorCost cost(const OpSpec&, const mixop::ImageShape&) { return {4, -1, 0}; }
};
struct OtherCost : Scale {
  using Scale::Scale;
  static mixop::OperatorCost cost(const OpSpec&, const mixop::ImageShape&) { return {5, 0, 0}; }
};
struct IgnoresOut : Scale {
  explicit IgnoresOut(const OpSpec& spec) : Scale({spec.in, spec.in, spec.stride, spec.affine}) {}
};
struct RefusesOut : Scale {
  explicit RefusesOut(const OpSpec& spec) : Scale(spec.in == spec.out ? spec : throw std::bad_alloc()) {}
};
struct EvenOnly : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override {
    if (x.size(2) % 2 != 0) throw mixop::Error(mixop::ErrorCode::usage, "even sizes only");
    return Scale::forward(x, how);
  }
};
struct Throws : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor&, const Forward&) override {
    throw mixop::Error(mixop::ErrorCode::failed, "never works");
  }
};
struct Unregistered : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward& how) override { return Scale::forward(x, how) * hidden; }
  at::Tensor hidden = at::ones({1}).set_requires_grad(true);
};
struct Aliased : Scale {
  using Scale::Scale;
  at::Tensor forward(const at::Tensor& x, const Forward&) override { return strided(x) * own; }
  at::Tensor own = weight.detach().set_requires_grad(true);
};
// x rounded to eighths, with the gradient of x: a straight-through estimator, for multiples of three channels.
struct Rounded : Scale {
  explicit Rounded(const OpSpec& given) : Scale(given) {
    if (given.in % 3 != 0) throw mixop::Error(mixop::ErrorCode::unsupported, "multiples of 3 channels");
  }
  at::Tensor forward(const at::Tensor& x, const Forward&) override { return (strided(x) * 8).round() / 8; }
  const std::vector<mixop::StateEntry>& state() override { return none; }
  mixop::OperatorGradients backward(const at::Tensor& x, const at::Tensor&, const at::Tensor& gradient, const Forward&) {
    at::Tensor own = at::zeros_like(x);
    strided(own).copy_(gradient);
    return {own, {}};
  }
  static constexpr bool gradient_is_estimate = true;
  static constexpr std::int64_t channel_multiple = 3;
  std::vector<mixop::StateEntry> none;
};
// x * weight with a backward pass of its own, which is right, or takes the weight's gradient twice.
template <int times>
struct OwnBackward : Scale {
  using Scale::Scale;
  mixop::OperatorGradients backward(const at::Tensor& x, const at::Tensor&, const at::Tensor& gradient, const Forward&) {
    at::Tensor own = at::zeros_like(x);
    strided(own).copy_(gradient * weight);
    return {own, {(strided(x) * gradient).sum({0, 2, 3}).view_as(weight) * times}};
  }
};
// ReLU, convolution and batch norm by code of its own; describes them as `lie` changes them.
using Stages = std::vector<mixop::Stage>;
mixop::Structure relu_conv_norm(const OpSpec& spec) {
  return mixop::relu_conv_norm(
      "", {.in = spec.in, .out = spec.out, .kernel = {3, 3}, .stride = {spec.stride, spec.stride}, .padding = {1, 1}},
      spec.affine);
}
template <void (*lie)(Stages&)>
struct Described : mixop::Operator {
  explicit Described(const OpSpec& spec) : module(relu_conv_norm(spec)) {}
  at::Tensor forward(const at::Tensor& x, const Forward& how) override { return module.forward(x, how); }
  const std::vector<mixop::StateEntry>& state() override { return module.state(); }
  static mixop::Structure structure(const OpSpec& spec) {
    Stages stages = relu_conv_norm(spec).stages();
    lie(stages);
    return mixop::Structure::of(stages);
  }

  mixop::Module module;
};
void nothing(Stages&) {}
void no_relu(Stages& stages) { stages[0].kind = mixop::StageKind::identity; }
void no_stride(Stages& stages) { stages[1].stride = stages[1].stride[0] == 2 ? mixop::Pair{1, 1} : mixop::Pair{2, 2}; }
void other_epsilon(Stages& stages) { stages[2].epsilon = 1e-4; }
void other_momentum(Stages& stages) { stages[2].momentum = 0.2; }
void other_name(Stages& stages) { stages[2].name = "norm"; }
void other_kernel(Stages& stages) { stages[1].kernel = {1, 1}, stages[1].padding = {0, 0}; }
void no_norm(Stages& stages) { stages.pop_back(); }
void unsound(Stages& stages) { stages[1].inputs = {7}; }

struct Recurrent : mixop::Operator {
  explicit Recurrent(const OpSpec& spec) {
    const OpSpec same = same_channels(spec);
    REQUIRE(same.stride == 1);
  }
  at::Tensor forward(const at::Tensor& x, const Forward&) override { return x.tanh(); }
  const std::vector<mixop::StateEntry>& state() override { return entries; }
  std::vector<mixop::StateEntry> entries;
};

struct AnyWidth : mixop::Operator {
  explicit AnyWidth(const OpSpec&) {}
  at::Tensor forward(const at::Tensor& x, const Forward&) override { return x.tanh(); }
  const std::vector<mixop::StateEntry>& state() override { return entries; }
  std::vector<mixop::StateEntry> entries;
};

// The trials that fail, by name, with what they say.
std::map<std::string, std::string> failures_of(const MixopComponent& component, std::size_t expected_trials) {
  std::map<std::string, std::string> failed;
  std::size_t trials = 0;
  mixop::try_operator(*static_cast<const MixopOperator*>(component.table), "test.op", [&](const mixop::Trial& trial) {
    ++trials;
    CHECK(trial.component == "test.op");
    if (!trial.passed) failed[trial.name] = trial.detail;
  });
  CHECK(trials == expected_trials);
  return failed;
}

template <class Op, Domain domain = Domain::image>
std::map<std::string, std::string> failures(std::size_t expected_trials = 24) {
  return failures_of(mixop::native_operator<Op, domain>("test.op"), expected_trials);
}

// The operator fails `trial` at both strides, with that text, and nothing else but `also`.
template <class Op>
void require_fails(const std::string& trial, const std::string& message, const std::vector<std::string>& also = {}) {
  std::map<std::string, std::string> failed = failures<Op>();
  for (const char* stride : {", stride 1", ", stride 2"}) {
    INFO(trial << stride);
    CHECK_THAT(failed[trial + stride], Catch::Contains(message));
    failed.erase(trial + stride);
    for (const std::string& other : also) failed.erase(other + stride);
  }
  for (const auto& [name, detail] : failed) FAIL_CHECK(name << ": " << detail);
}

constexpr char kShape[] = "shape in training and evaluation";
constexpr char kOddShape[] = "shape of odd sizes";

}  // namespace

TEST_CASE("a correct operator passes all trials", "[trials]") { CHECK(failures<Scale>().empty()); }

TEST_CASE("an operator that takes even sizes alone passes", "[trials]") {
  CHECK(failures<EvenOnly>().empty());
}

TEST_CASE("a recurrent operator is tried on its own shape", "[trials]") {
  CHECK(failures<Recurrent, Domain::recurrent>(11).empty());
}

TEST_CASE("a wrong shape is found", "[trials]") {
  require_fails<WrongShape>(kShape, "expected a result Float [2, 4, ",
                            {kOddShape, "gradient of the input", "gradients of the parameters", "determinism", "statistics",
                             "input is kept", "state round trip", "parameters are registered"});
}

TEST_CASE("values that are not finite are found", "[trials]") {
  CHECK(failures<NotFinite>().at(std::string(kShape) + ", stride 1") ==
        "operator 'test.op': forward in training: gives numbers that are not finite, of an input and a state that are");
}

TEST_CASE("randomness that is not the key's is found", "[trials]") {
  require_fails<Random>("determinism",
                        "two passes with the same input and key differ. Draw random numbers from the key alone; the "
                        "largest difference is 0.",
                        {"gradient of the input", "gradients of the parameters", "state round trip"});
}

TEST_CASE("a gradient of the input that is not the derivative is found", "[trials]") {
  require_fails<CutGradient>("gradient of the input", "of the gradient of the input: expected ");
}

TEST_CASE("a parameter without its gradient is found", "[trials]") {
  const auto failed = failures<CutParameter>();
  CHECK_THAT(failed.at("gradients of the parameters, stride 1"),
             Catch::Contains("of the gradient of parameter 'weight': expected "));
  CHECK_THAT(failed.at(std::string(kShape) + ", stride 1"),
             Catch::Contains("forward in training: no gradient of its parameters is recorded in its result"));
}

TEST_CASE("an operator that leaves double precision is found", "[trials]") {
  require_fails<FloatOnly>("gradient of the input", "expected a result Double [2, 4, ",
                           {"gradients of the parameters"});
}

TEST_CASE("statistics that are updated unasked are found", "[trials]") {
  require_fails<AlwaysCounts>("statistics", "a training pass with update_statistics = 0 changed buffer 0");
}

TEST_CASE("an operator that writes into its input is found", "[trials]") {
  CHECK_THAT(failures<WritesInput>().at("input is kept, stride 1"),
             Catch::Contains("forward in training: it writes to its input"));
}

TEST_CASE("state that is a copy is found", "[trials]") {
  CHECK(failures<CopiesState>().at("state round trip, stride 1") ==
        "changing every parameter in place does not change the output. Hand out the live tensors, not copies");
}

TEST_CASE("two states of one name are found", "[trials]") {
  require_fails<SameNames>("state round trip", "the state name 'weight' is empty or stands twice");
}

TEST_CASE("a cost that cannot be is found", "[trials]") {
  require_fails<NegativeCost>("cost", "its cost names -1 multiply-adds and 0 activations; expected none below zero");
  require_fails<OtherCost>("cost", "its cost counts 5 parameters; its state holds 4");
}

TEST_CASE("an operator that leaves the channels asked for aside is found", "[trials]") {
  require_fails<IgnoresOut>("channels in and out",
                            "asked for 4 channels in and 6 out: operator 'test.op': forward in training: expected a result Float [2, 6, ");
  require_fails<IgnoresOut>("channels in and out", ". Serve such specs, or throw an Error of code unsupported");
  require_fails<RefusesOut>("channels in and out", "operator 'test.op': create: std::bad_alloc");
  CHECK_THAT((failures<AnyWidth, Domain::recurrent>(11).at("channels in and out")),
             Catch::Contains("asked for 4 channels in and 6 out: a recurrent operator keeps the width, and was made"));
}

TEST_CASE("an operator that is a structure alone passes all trials", "[trials]") {
  CHECK(failures_of(mixop::structure_operator<relu_conv_norm>("test.op"), 24).empty());
  constexpr auto none = [](const OpSpec& spec) { return mixop::Structure().zero(same_channels(spec).stride); };
  CHECK(failures_of(mixop::structure_operator<none>("test.op"), 24).empty());
  constexpr auto tanh = [](const OpSpec& spec) { return same_channels(spec), mixop::Structure().tanh(); };
  CHECK(failures_of(mixop::structure_operator<tanh, Domain::recurrent>("test.op"), 11).empty());
}

TEST_CASE("an operator that describes what it computes passes all trials", "[trials]") {
  CHECK(failures<Described<nothing>>().empty());
}

TEST_CASE("a structure that computes something else is found", "[trials]") {
  require_fails<Described<no_relu>>("structure",
                                    "its structure gives another output in training than its forward; the largest "
                                    "difference is ");
  require_fails<Described<no_stride>>("structure",
                                      "its structure gives another output in training than its forward: shape [2, 4, ");
  require_fails<Described<other_epsilon>>("structure", ". Describe what forward computes, or nothing");
  require_fails<Described<other_momentum>>("structure", "its structure gives another 'op.2.running_mean' after training");
}

TEST_CASE("a structure with other state is found", "[trials]") {
  require_fails<Described<other_name>>("structure",
                                       "its structure has other state than it has: at place 1 parameter 'norm.weight' "
                                       "of shape [4] instead of parameter 'op.2.weight' of shape [4]");
  require_fails<Described<other_kernel>>("structure",
                                         "at place 0 parameter 'op.1.weight' of shape [4, 4, 1, 1] instead of "
                                         "parameter 'op.1.weight' of shape [4, 4, 3, 3]",
                                         {"cost"});
  require_fails<Described<no_norm>>("structure", "at place 1 none instead of parameter 'op.2.weight' of shape [4]",
                                    {"cost"});
  require_fails<Described<no_norm>>("cost", "its structure counts 144 parameters; its state holds 152", {"structure"});
}

TEST_CASE("a structure that is not sound fails wherever the operator is made", "[trials]") {
  CHECK(failures<Described<unsound>>().at("structure, stride 1") ==
        "operator 'test.op': its structure has a stage that reads value 7 of 2");
}

TEST_CASE("parameters that are not registered are found", "[trials]") {
  require_fails<Unregistered>("parameters are registered",
                              "its result depends on parameters that its state lacks, which no search would train");
  require_fails<Aliased>("parameters are registered",
                         "its result depends on another tensor over the memory of 'weight' than the one that its state names",
                         {"gradients of the parameters"});
}

TEST_CASE("a backward pass of a class is held against finite differences", "[trials]") {
  CHECK(failures<OwnBackward<1>>().empty());
  require_fails<OwnBackward<2>>("gradients of the parameters", "of the gradient of parameter 'weight': expected ");
}

TEST_CASE("a gradient that is declared an estimate is left alone, and channels are those that an operator takes", "[trials]") {
  const std::map<std::string, std::string> failed = failures<Rounded>(22);  // one trial of estimates for two of gradients
  for (const auto& [name, detail] : failed) FAIL_CHECK(name << ": " << detail);
}

TEST_CASE("what an operator throws is reported", "[trials]") {
  CHECK(failures<Throws>().at(std::string(kShape) + ", stride 2") == "operator 'test.op': forward in training: never works");
}
