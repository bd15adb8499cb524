#include "host/plugins/operator_trials.hpp"

#include <ATen/ATen.h>

#include <map>

#include "mixop/chain.hpp"
#include "mixop/operator.hpp"
#include "tests/catch.hpp"

namespace {

using mixop::Domain;
using mixop::Forward;
using mixop::OpSpec;

// A correct operator: x * weight, strided, plus a buffer that counts training passes. Each test breaks one thing.
struct Scale : mixop::Operator {
  explicit Scale(const OpSpec& given)
      : spec(given),
        weight(at::ones({given.channels, 1, 1}).set_requires_grad(true)),
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
  bool cost(const mixop::ImageShape&, mixop::Cost& cost) override {
    cost.multiply_adds = -1;
    return true;
  }
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
// ReLU, convolution and batch norm; tells them as `lie` changes them.
using Stages = std::vector<MixopStage>;
template <void (*lie)(Stages&)>
struct Told : mixop::Operator {
  explicit Told(const OpSpec& spec) {
    const mixop::Pair stride{spec.stride, spec.stride};
    chain.relu().conv(
        {.in = spec.channels, .out = spec.channels, .kernel = {3, 3}, .stride = stride, .padding = {1, 1}});
    chain.batch_norm(spec.channels, spec.affine);
  }
  at::Tensor forward(const at::Tensor& x, const Forward& how) override { return chain.forward(x, how); }
  const std::vector<mixop::StateEntry>& state() override { return chain.state(); }
  Stages structure() override {
    Stages stages = chain.structure();
    lie(stages);
    return stages;
  }

  mixop::Chain chain;
};
void nothing(Stages&) {}
void no_relu(Stages& stages) { stages.erase(stages.begin()); }
void no_stride(Stages& stages) { stages[1].stride[0] = stages[1].stride[1] = 3 - stages[1].stride[0]; }
void other_epsilon(Stages& stages) { stages[2].epsilon = 1e-4; }
void other_momentum(Stages& stages) { stages[2].momentum = 0.2; }
void swapped_statistics(Stages& stages) { std::swap(stages[2].state[2], stages[2].state[3]); }
void uncounted(Stages& stages) { stages[2].state[4] = -1; }
void unknown_tensor(Stages& stages) { stages[1].state[0] = 99; }

struct Recurrent : mixop::Operator {
  explicit Recurrent(const OpSpec& spec) { REQUIRE(spec.stride == 1); }
  at::Tensor forward(const at::Tensor& x, const Forward&) override { return x.tanh(); }
  const std::vector<mixop::StateEntry>& state() override { return entries; }
  std::vector<mixop::StateEntry> entries;
};

// The trials that fail, by name, with what they say.
template <class Op, Domain domain = Domain::image>
std::map<std::string, std::string> failures(std::size_t expected_trials = 20) {
  const auto& table = *static_cast<const MixopOperator*>(mixop::native_operator<Op, domain>("test.op").table);
  std::map<std::string, std::string> failed;
  std::size_t trials = 0;
  mixop::try_operator(table, "test.op", [&](const mixop::Trial& trial) {
    ++trials;
    CHECK(trial.component == "test.op");
    if (!trial.passed) failed[trial.name] = trial.detail;
  });
  CHECK(trials == expected_trials);
  return failed;
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

TEST_CASE("a correct operator passes all trials", "[plugins][trials]") { CHECK(failures<Scale>().empty()); }

TEST_CASE("an operator that takes even sizes alone passes", "[plugins][trials]") {
  CHECK(failures<EvenOnly>().empty());
}

TEST_CASE("a recurrent operator is tried on its own shape", "[plugins][trials]") {
  CHECK(failures<Recurrent, Domain::recurrent>(9).empty());
}

TEST_CASE("a wrong shape is found", "[plugins][trials]") {
  require_fails<WrongShape>(kShape, "expected an output of shape [2, 4, ", {kOddShape, "statistics"});
}

TEST_CASE("values that are not finite are found", "[plugins][trials]") {
  CHECK(failures<NotFinite>().at(std::string(kShape) + ", stride 1") == "the output has values that are not finite");
}

TEST_CASE("randomness that is not the key's is found", "[plugins][trials]") {
  require_fails<Random>("determinism",
                        "two passes with the same input and key differ. Draw random numbers from the key alone; the "
                        "largest difference is 0.",
                        {"gradient of the input", "gradients of the parameters", "state round trip"});
}

TEST_CASE("a gradient of the input that is not the derivative is found", "[plugins][trials]") {
  require_fails<CutGradient>("gradient of the input", "of the gradient of the input: expected ");
}

TEST_CASE("a parameter without its gradient is found", "[plugins][trials]") {
  require_fails<CutParameter>("gradients of the parameters", "of the gradient of parameter 'weight': expected ");
}

TEST_CASE("an operator that leaves double precision is found", "[plugins][trials]") {
  require_fails<FloatOnly>("gradient of the input", "expected a double output of a double input, found another type",
                           {"gradients of the parameters"});
}

TEST_CASE("statistics that are updated unasked are found", "[plugins][trials]") {
  require_fails<AlwaysCounts>("statistics", "a training pass with update_statistics = 0 changed buffer 0");
}

TEST_CASE("an operator that writes into its input is found", "[plugins][trials]") {
  CHECK_THAT(failures<WritesInput>().at("input is kept, stride 1"),
             Catch::Contains("the forward pass changed its input, which is borrowed"));
}

TEST_CASE("state that is a copy is found", "[plugins][trials]") {
  CHECK(failures<CopiesState>().at("state round trip, stride 1") ==
        "changing every parameter in place does not change the output. Hand out the live tensors, not copies");
}

TEST_CASE("two states of one name are found", "[plugins][trials]") {
  require_fails<SameNames>("state round trip", "the state name 'weight' is empty or stands twice");
}

TEST_CASE("a negative cost is found", "[plugins][trials]") {
  require_fails<NegativeCost>("cost", "its cost names -1 multiply-adds");
}

TEST_CASE("an operator that tells what it computes passes all trials", "[plugins][trials]") {
  CHECK(failures<Told<nothing>>().empty());
}

TEST_CASE("a structure that computes something else is found", "[plugins][trials]") {
  require_fails<Told<no_relu>>("structure",
                               "its structure gives another output in training than its forward; the largest "
                               "difference is ");
  require_fails<Told<no_stride>>("structure",
                                 "its structure gives another output in training than its forward: shape [2, 4, ");
  require_fails<Told<other_epsilon>>("structure", ". Supernets run the structure: tell the stages that forward runs");
}

TEST_CASE("a structure that keeps other statistics is found", "[plugins][trials]") {
  require_fails<Told<other_momentum>>("structure", "its structure gives another '2.running_mean' after training");
  require_fails<Told<swapped_statistics>>("structure", "its structure gives another '2.running_mean' after training");
  require_fails<Told<uncounted>>("structure", "its structure gives another '2.num_batches_tracked' after training");
}

TEST_CASE("a structure that the state does not carry is found", "[plugins][trials]") {
  require_fails<Told<unknown_tensor>>("structure", "an operator's structure names tensor 99 of a state of ", {"cost"});
}

TEST_CASE("what an operator throws is reported", "[plugins][trials]") {
  CHECK(failures<Throws>().at(std::string(kShape) + ", stride 2") == "operator 'test.op': never works");
}
