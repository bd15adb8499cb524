#include "host/graph/operators.hpp"

#include <cstring>
#include <functional>

#include "mixop/structure_operator.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Catch::Contains;

Structure everything(const OpSpec& spec) {
  require_same_channels(spec);
  Structure all("op.");
  all.relu().conv({.in = spec.in,
                   .out = 4,
                   .kernel = {3, 5},
                   .stride = {2, 1},
                   .padding = {1, 2},
                   .dilation = {1, 3},
                   .groups = 2,
                   .bias = true});
  all.batch_norm(4, spec.affine).max_pool(3, 2, 1).avg_pool({2, 3}, {1, 2}, {0, 1}).tanh().sigmoid().identity();
  all.factorized_reduce(4, 6).shuffle(3).zero(1).add(all.here()).from(3).global_avg_pool().multiply(4).concat({1, 2});
  all.linear(5, 7);
  return all;
}

/// What a hostile plugin hands out; each test sets it.
struct Handed {
  static inline std::function<void(MixopStructureSink, void*)> give;
  static constexpr MixopStructure extension = {
      sizeof(MixopStructure), 0,
      [](const MixopOpSpec*, MixopStructureSink sink, void* context, MixopError*) -> MixopStatus {
        give(sink, context);
        return MIXOP_OK;
      }};
  static MixopOperator table() {
    MixopOperator table{};
    table.size = sizeof table;
    table.get_extension = [](const char* id) -> const void* {
      return std::strcmp(id, MIXOP_STRUCTURE_EXTENSION) == 0 ? &extension : nullptr;
    };
    return table;
  }
};

std::optional<Structure> handed(std::function<void(MixopStructureSink, void*)> give) {
  Handed::give = std::move(give);
  return structure_of(Handed::table(), "acme.op", {});
}

const std::int32_t kInput[] = {0, 1};

/// A sound convolution of two channels.
MixopStage conv() {
  MixopStage stage{};
  stage.size = sizeof stage;
  stage.kind = MIXOP_STAGE_CONV;
  stage.name = "0";
  stage.inputs = kInput;
  stage.input_count = 1;
  stage.in = stage.out = 2;
  stage.groups = 1;
  for (int axis = 0; axis < 2; ++axis) stage.kernel[axis] = stage.stride[axis] = stage.dilation[axis] = 1;
  return stage;
}

void refused(const std::function<void(MixopStage&)>& change, const std::string& message) {
  MixopStage stage = conv();
  change(stage);
  CHECK_THROWS_WITH(handed([&](MixopStructureSink sink, void* context) { sink(context, &stage, 1); }),
                    "operator 'acme.op': its structure " + message);
}

TEST_CASE("a structure crosses the boundary as it is", "[graph][operators]") {
  const auto& table = *static_cast<const MixopOperator*>(structure_operator<everything>("test.op").table);
  for (const bool affine : {true, false}) {
    const OpSpec spec{2, 2, 1, affine};
    CHECK(structure_of(table, "test.op", spec) == everything(spec));
  }
  CHECK_FALSE(has_own_code(table));
  CHECK_FALSE(cost_of(table, "test.op", {}, {16, 8, 8}).has_value());
}

TEST_CASE("what an operator does not serve is unsupported, and says its name", "[graph][operators]") {
  const auto& table = *static_cast<const MixopOperator*>(structure_operator<everything>("test.op").table);
  try {
    structure_of(table, "test.op", {2, 4, 1, false});
    FAIL("served");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(error.what() == std::string("operator 'test.op': it keeps the number of channels; expected as many out as in, "
                                      "found 2 in and 4 out. Put a convolution before or after it"));
  }
}

TEST_CASE("an operator without get_extension has no structure and no cost", "[graph][operators]") {
  MixopOperator table = Handed::table();
  table.get_extension = nullptr;
  CHECK_FALSE(structure_of(table, "acme.op", {}).has_value());
  CHECK_FALSE(cost_of(table, "acme.op", {}, {}).has_value());
}

TEST_CASE("stages of a newer plugin are gone through by their own size", "[graph][operators]") {
  struct Longer {
    MixopStage known;
    std::uint64_t added;
  };
  Longer stages[2] = {{conv(), ~std::uint64_t{0}}, {conv(), ~std::uint64_t{0}}};
  for (Longer& stage : stages) stage.known.size = sizeof stage;
  stages[1].known.inputs = kInput + 1;
  stages[1].known.name = "second";
  const auto read = handed([&](MixopStructureSink sink, void* context) { sink(context, &stages[0].known, 2); });
  REQUIRE(read->stages().size() == 2);
  CHECK(read->stages()[1].name == "second");
  CHECK(read->stages()[1].inputs == std::vector<int>{1});
}

TEST_CASE("a structure that is none is refused", "[graph][operators][misuse]") {
  const MixopStage stage = conv();
  const auto gives = [](const MixopStage* stages, std::uint32_t count) {
    return handed([=](MixopStructureSink sink, void* context) { sink(context, stages, count); });
  };
  CHECK_THROWS_WITH(handed([](MixopStructureSink, void*) {}), Contains("its structure was asked for and not given"));
  CHECK_THROWS_WITH(gives(nullptr, 1), Contains("its structure has 1 stages"));
  CHECK_THROWS_WITH(gives(&stage, 0), Contains("its structure has 0 stages"));
  CHECK_THROWS_WITH(gives(&stage, 5000), Contains("its structure has 5000 stages"));
  refused([](MixopStage& s) { s.size = 16; }, "has stages of 16 bytes, expected 144 or more");
}

TEST_CASE("a stage that is not sound is refused", "[graph][operators][misuse]") {
  refused([](MixopStage& s) { s.kind = 0; }, "has a stage of unknown kind 0");
  refused([](MixopStage& s) { s.kind = 17; }, "has a stage of unknown kind 17");
  refused([](MixopStage& s) { s.input_count = 0; }, "has a stage of kind 6 that reads 0 values");
  refused([](MixopStage& s) { s.kind = MIXOP_STAGE_ADD; }, "has a stage of kind 13 that reads 1 values");
  refused([](MixopStage& s) { s.kind = MIXOP_STAGE_CONCAT, s.input_count = 257; },
          "has a stage of kind 15 that reads 257 values");
  refused([](MixopStage& s) { s.inputs = nullptr; }, "has a stage that reads values at NULL");
  refused([](MixopStage& s) { s.inputs = kInput + 1; }, "has a stage that reads value 1 of 1");
  const std::int32_t before[] = {-1};
  refused([&](MixopStage& s) { s.inputs = before; }, "has a stage that reads value -1 of 1");
  refused([](MixopStage& s) { s.in = 0; }, "has a stage from 0 to 2 channels");
  refused([](MixopStage& s) { s.out = 1 << 25; }, "has a stage from 2 to 33554432 channels");
  refused([](MixopStage& s) { s.kind = MIXOP_STAGE_BATCH_NORM, s.out = 3; }, "has a batch norm from 2 to 3 channels");
  refused([](MixopStage& s) { s.name = nullptr; }, "has a stage with tensors and without a name");
  refused([](MixopStage& s) { s.groups = 0; }, "has a stage of 0 groups");
  refused([](MixopStage& s) { s.groups = 3; }, "has a convolution of 3 groups, which do not divide its channels");
  const std::string range = "has a stage with a kernel, stride, dilation or padding out of range";
  refused([](MixopStage& s) { s.kernel[0] = 0; }, range);
  refused([](MixopStage& s) { s.stride[1] = 0; }, range);
  refused([](MixopStage& s) { s.dilation[1] = 1 << 17; }, range);
  refused([](MixopStage& s) { s.padding[0] = -1; }, range);
}

}  // namespace

TEST_CASE("an operator reads the options that its name sets, and its defaults of the others", "[graph][operators]") {
  static constexpr MixopOptionSpec options[] = {option(MIXOP_OPTION_INTEGER, "times", "2", "How wide."),
                                                option(MIXOP_OPTION_BOOL, "bias", "false", "Whether there is a bias.")};
  const MixopComponent component = structure_operator<[](const OpSpec& spec) {
    return Structure("op.").conv(
        {.in = spec.in, .out = spec.out * spec.options.integer("times"), .bias = spec.options.flag("bias")});
  }>("acme.wide", nullptr, options);
  const auto& table = *static_cast<const MixopOperator*>(component.table);
  const auto conv_of = [&](const std::string& name) {
    return structure_of(table, name, {.in = 3, .out = 5})->stages().back();
  };
  CHECK(conv_of("acme.wide").out == 10);
  CHECK_FALSE(conv_of("acme.wide").bias);
  CHECK(conv_of("acme.wide:times=3").out == 15);
  CHECK(conv_of("acme.plugin/acme.wide:bias=true:times=1").bias);
  CHECK_THROWS_WITH(conv_of("acme.wide:time=3"), Contains("unknown option of acme.wide 'time'; did you mean 'times'?"));
  CHECK_THROWS_WITH(conv_of("acme.wide:times=x"), "option acme.wide.times: expected an integer, found 'x'");
  CHECK_THROWS_WITH(conv_of("acme.wide:times"), Contains("NAME:option=value"));
  CHECK_THROWS_WITH(structure_of(Handed::table(), "acme.op:times=1", {}),
                    Contains("unknown option of acme.op 'times'; known: none"));
}
