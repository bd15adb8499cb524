#include "host/plugins/descriptor.hpp"

#include <array>
#include <cstring>
#include <functional>

#include "mixop/abi/ext/backward.h"
#include "mixop/abi/ext/cost.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/slots.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/elf_builder.hpp"

using Catch::Contains;
using mixop::PluginCheck;
using mixop::PluginRefused;

namespace {

// A plugin's own data, whole and correct; every test breaks one thing.
struct Sample {
  MixopOptionSpec option{sizeof(MixopOptionSpec), MIXOP_OPTION_REAL, "rate", "0.5", "A rate."};
  MixopDataset dataset{
      sizeof(MixopDataset),
      1,
      &option,
      "files",
      [](const MixopDatasetSource*, MixopDatasetInstance**, MixopError*) -> MixopStatus { return MIXOP_OK; },
      [](MixopDatasetInstance*) {},
      [](MixopDatasetInstance*, MixopDatasetInfo*, MixopError*) -> MixopStatus { return MIXOP_OK; },
      [](MixopDatasetInstance*, int32_t, int64_t, int64_t, uint8_t*, int64_t*, MixopError*) -> MixopStatus {
        return MIXOP_OK;
      }};
  MixopFactory factory{sizeof(MixopFactory), 0, nullptr,
                       [](const MixopOptionValue*, uint32_t, void**, MixopError*) -> MixopStatus { return MIXOP_OK; },
                       [](void*) {}};
  MixopOperator op{sizeof(MixopOperator),
                   MIXOP_DOMAIN_IMAGE,
                   [](const MixopOpSpec*, MixopOpInstance**, MixopError*) -> MixopStatus { return MIXOP_OK; },
                   [](MixopOpInstance*) {},
                   [](MixopOpInstance*, MixopTensor, const MixopForward*, MixopTensor*, MixopError*) -> MixopStatus {
                     return MIXOP_OK;
                   },
                   [](MixopOpInstance*) -> uint32_t { return 0; },
                   [](MixopOpInstance*, uint32_t, MixopState*, MixopError*) -> MixopStatus { return MIXOP_OK; },
                   nullptr,
                   nullptr,
                   0,
                   0};
  MixopOptionValue value{"temperature", "0.5"};
  MixopStrategyPart parts[3] = {{sizeof(MixopStrategyPart), 1, "relaxation", "softmax", &value},
                                {sizeof(MixopStrategyPart), 0, "hypergradient", "first_order", nullptr},
                                {sizeof(MixopStrategyPart), 0, "deriver", "top2", nullptr}};
  MixopStrategy strategy{sizeof(MixopStrategy), 3, parts, "As is."};
  MixopComponent components[4] = {
      {sizeof(MixopComponent), MIXOP_KIND_DATASET, "data", MIXOP_DATASET_INTERFACE, &dataset},
      {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, "acme.op", MIXOP_OPERATOR_INTERFACE, &op},
      {sizeof(MixopComponent), MIXOP_KIND_SPACE, "space", "mixop.space/1", &factory},
      {sizeof(MixopComponent), MIXOP_KIND_STRATEGY, "strategy", MIXOP_STRATEGY_INTERFACE, &strategy}};
  MixopPluginDescriptor descriptor{
      sizeof(MixopPluginDescriptor), 1, 0, "acme.all", "1.0.0", "Everything.", 4, 0, components, nullptr};
  mixop::PluginFile file{"/x.so", mixop::test::plain_note(), ""};

  Sample() {
    file.note.kinds = 15;
    file.note.tier = MIXOP_TIER_NATIVE;
  }
};

void require_refused(const std::function<void(Sample&)>& change, PluginCheck check, const std::string& message) {
  Sample sample;
  change(sample);
  try {
    mixop::read_descriptor(&sample.descriptor, sample.file);
  } catch (const PluginRefused& refused) {
    CHECK_THAT(refused.what(), Contains(message));
    CHECK(std::string(mixop::name_of(refused.check())) == mixop::name_of(check));
    return;
  }
  FAIL("accepted; expected: " << message);
}

void descriptor_refused(const std::function<void(Sample&)>& change, const std::string& message) {
  require_refused(change, PluginCheck::descriptor, message);
}
void component_refused(const std::function<void(Sample&)>& change, const std::string& message) {
  require_refused(change, PluginCheck::components, message);
}

}  // namespace

TEST_CASE("a descriptor with every kind of component is read", "[plugins][descriptor]") {
  Sample sample;
  const mixop::PluginContents contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  CHECK(contents.id == "acme.all");
  CHECK(contents.version == "1.0.0");
  CHECK(contents.summary == "Everything.");
  REQUIRE(contents.components.size() == 4);
  CHECK(contents.components[1].name == "acme.op");
  const auto& strategy = std::get<mixop::NamedStrategy>(contents.components[3].table);
  CHECK(strategy.parts.at("deriver").part == "top2");
  CHECK(strategy.parts.at("relaxation").options.at("temperature") == "0.5");
  CHECK(strategy.parts.at("stopper").part == "none");
  CHECK(strategy.summary == "As is.");
}

TEST_CASE("components have a summary each, where they are long enough for one", "[plugins][descriptor]") {
  Sample sample;
  sample.components[1].summary = "An operator.";
  CHECK(mixop::read_descriptor(&sample.descriptor, sample.file).components[1].summary == "An operator.");
  constexpr std::size_t kShort = offsetof(MixopComponent, summary);
  alignas(MixopComponent) char shorter[4 * kShort];
  for (std::size_t i = 0; i < 4; ++i) {
    sample.components[i].size = kShort;
    std::memcpy(shorter + i * kShort, &sample.components[i], kShort);
  }
  sample.descriptor.components = reinterpret_cast<const MixopComponent*>(shorter);
  const mixop::PluginContents contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  REQUIRE(contents.components.size() == 4);
  CHECK(contents.components[1].name == "acme.op");
  CHECK(contents.components[1].summary.empty());
}

TEST_CASE("fields that a shorter table does not have are zero in the host's copy", "[plugins][descriptor]") {
  Sample sample;
  sample.op.get_extension = [](const char*) -> const void* { throw 1; };
  sample.op.size = offsetof(MixopOperator, get_extension);
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  const auto& copy = std::get<MixopOperator>(contents.components[1].table);
  CHECK(copy.get_extension == nullptr);
  CHECK(copy.forward == sample.op.forward);
  CHECK(copy.size == sizeof(MixopOperator));
}

namespace {

// Elements of a newer plugin: longer than the host's.
template <class T>
struct Longer {
  T known;
  std::uint64_t added = ~std::uint64_t{0};
};
template <class T, std::size_t n>
std::array<Longer<T>, n> longer(const T (&elements)[n]) {
  std::array<Longer<T>, n> all;
  for (std::size_t i = 0; i < n; ++i) {
    all[i].known = elements[i];
    all[i].known.size = sizeof(Longer<T>);
  }
  return all;
}

}  // namespace

TEST_CASE("arrays are gone through by their elements' own size", "[plugins][descriptor]") {
  Sample sample;
  const MixopOptionSpec two[2] = {sample.option,
                                  {sizeof(MixopOptionSpec), MIXOP_OPTION_INTEGER, "records", "2", "How many."}};
  const auto options = longer(two);
  sample.dataset.options = &options[0].known;
  sample.dataset.option_count = 2;
  const auto parts = longer(sample.parts);
  sample.strategy.parts = &parts[0].known;
  const auto components = longer(sample.components);
  sample.descriptor.components = &components[0].known;

  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  REQUIRE(contents.components.size() == 4);
  const auto& dataset = std::get<MixopDataset>(contents.components[0].table);
  REQUIRE(dataset.option_count == 2);
  CHECK(dataset.options[1].name == std::string("records"));
  CHECK(dataset.options[1].size == sizeof(MixopOptionSpec));
  CHECK(std::get<mixop::NamedStrategy>(contents.components[3].table).parts.at("deriver").part == "top2");
}

TEST_CASE("a table that is longer than the host's is read as far as the host knows it", "[plugins][descriptor]") {
  Sample sample;
  const MixopFactory tables[] = {sample.factory};
  const auto factories = longer(tables);
  sample.components[2].table = &factories[0].known;
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  CHECK(std::get<MixopFactory>(contents.components[2].table).size == sizeof(MixopFactory));
}

TEST_CASE("a bad descriptor is refused", "[plugins][descriptor]") {
  const Sample sample;
  CHECK_THROWS_WITH(mixop::read_descriptor(nullptr, sample.file), Contains("returned NULL; expected a descriptor"));
  descriptor_refused([](Sample& s) { s.descriptor.size = 8; }, "the descriptor has size 8; expected at least 56");
  descriptor_refused([](Sample& s) { s.descriptor.abi_minor = 1; }, "the descriptor names ABI 1.1; the note says 1.0");
  descriptor_refused([](Sample& s) { s.descriptor.id = nullptr; }, "the plugin's id is NULL; expected a text");
  descriptor_refused([](Sample& s) { s.descriptor.id = ""; }, "the plugin's id is empty");
  descriptor_refused([](Sample& s) { s.descriptor.id = "a b"; },
                     "the plugin's id is 'a b'; expected letters, digits, '_', '-' and '.' alone");
  descriptor_refused([](Sample& s) { s.descriptor.version = nullptr; }, "the plugin's version is NULL");
  descriptor_refused([](Sample& s) { s.descriptor.summary = "a\nb"; },
                     "the plugin's summary contains control characters");
  const std::string text(1001, 'x');
  descriptor_refused([&](Sample& s) { s.descriptor.summary = text.c_str(); },
                     "the plugin's summary is longer than 1000 bytes");
}

TEST_CASE("a bad list of components is refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.descriptor.component_count = 0; }, "declares 0 components; expected 1 to 4096");
  component_refused([](Sample& s) { s.descriptor.component_count = 4097; }, "declares 4097 components");
  component_refused([](Sample& s) { s.descriptor.components = nullptr; }, "declares 4 components at NULL");
  component_refused([](Sample& s) { s.components[0].size = 24; },
                    "component 0 has size 24; expected at least 32. Set the field to sizeof of the struct");
  component_refused([](Sample& s) { s.components[0].size = 0; }, "component 0 has size 0; expected at least 32");
  component_refused([](Sample& s) { s.components[1].size = 48; },
                    "component 1 has size 48; expected 40, as the array's first element");
  component_refused([](Sample& s) { s.components[1].name = nullptr; }, "component 1: its name is NULL");
  component_refused([](Sample& s) { s.components[1].name = "+op"; },
                    "component 1: its name is '+op'; expected letters");
  component_refused([](Sample& s) { s.components[1].interface = "mixop.operator/2"; },
                    "component 'acme.op': unknown interface 'mixop.operator/2'; did you mean 'mixop.operator/1'?");
  component_refused([](Sample& s) { s.components[1].kind = 2; },
                    "component 'acme.op' has kind 2; its interface mixop.operator/1 is of kind 1");
  component_refused([](Sample& s) { s.file.note.kinds = 14; },
                    "component 'acme.op' is of kind operator, which the note does not name (it has: space, dataset, "
                    "strategy). Add the kind to KINDS of mixop_add_plugin()");
  component_refused(
      [](Sample& s) {
        s.components[2].kind = MIXOP_KIND_STRATEGY;
        s.components[2].interface = "mixop.stopper/1";
        s.file.note.tier = 1;
      },
      "component 'space' is a C++ interface with tensors, which needs tier native; the note says tier stable");
  component_refused([](Sample& s) { s.components[0].table = nullptr; }, "component 'data': its table is NULL");
  component_refused([](Sample& s) { s.components[2] = s.components[1]; }, "the operator 'acme.op' is declared twice");
}

TEST_CASE("a table with a missing function or a bad size is refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.op.size = 16; }, "component 'acme.op' has size 16; expected at least 48");
  component_refused([](Sample& s) { s.op.domain = 2; },
                    "component 'acme.op' has domain 2; expected 0 (image) or 1 (recurrent)");
  component_refused([](Sample& s) { s.op.create = nullptr; }, "'create' is NULL; expected a function");
  component_refused([](Sample& s) { s.op.destroy = nullptr; }, "component 'acme.op': 'destroy' is NULL");
  component_refused([](Sample& s) { s.op.forward = nullptr; }, "'forward' is NULL");
  component_refused([](Sample& s) { s.op.state_count = nullptr; }, "'state_count' is NULL");
  component_refused([](Sample& s) { s.op.state = nullptr; }, "'state' is NULL");
  component_refused([](Sample& s) { s.op = {sizeof s.op, 0, {}, {}, {}, {}, {}, {}}; },
                    "component 'acme.op' has neither code of its own nor a structure; expected 'create', 'destroy', "
                    "'forward', 'state_count' and 'state', or the extension mixop.structure/1");
  component_refused([](Sample& s) { s.dataset.size = 40; }, "component 'data' has size 40; expected at least 56");
  component_refused([](Sample& s) { s.dataset.expects = nullptr; }, "component 'data': 'expects' is NULL");
  component_refused([](Sample& s) { s.dataset.open = nullptr; }, "'open' is NULL");
  component_refused([](Sample& s) { s.dataset.close = nullptr; }, "'close' is NULL");
  component_refused([](Sample& s) { s.dataset.info = nullptr; }, "'info' is NULL");
  component_refused([](Sample& s) { s.dataset.read = nullptr; }, "'read' is NULL");
  component_refused([](Sample& s) { s.factory.size = 4; }, "component 'space' has size 4; expected at least 32");
  component_refused([](Sample& s) { s.factory.create = nullptr; }, "component 'space': 'create' is NULL");
  component_refused([](Sample& s) { s.factory.destroy = nullptr; }, "component 'space': 'destroy' is NULL");
}

namespace {

// The extension that the table has whose `id` is set.
struct Extension {
  static inline std::string id;
  static inline const void* table = nullptr;
  static const void* get(const char* asked) { return asked == id ? table : nullptr; }
};

template <class Table>
void extension_refused(const char* id, Table table, const std::string& message) {
  Extension::id = id;
  Extension::table = &table;
  component_refused([](Sample& s) { s.op.get_extension = Extension::get; }, message);
}

}  // namespace

TEST_CASE("an operator may be a structure and nothing else", "[plugins][descriptor]") {
  static constexpr MixopStructure structure = {
      sizeof(MixopStructure), 0,
      [](const MixopOpSpec*, MixopStructureSink, void*, MixopError*) -> MixopStatus { return MIXOP_OK; }};
  Extension::id = MIXOP_STRUCTURE_EXTENSION;
  Extension::table = &structure;
  Sample sample;
  sample.op = {sizeof sample.op, MIXOP_DOMAIN_IMAGE, {}, {}, {}, {}, {}, Extension::get, {}, 0, 0};
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  const auto& copy = std::get<MixopOperator>(contents.components[1].table);
  CHECK(copy.create == nullptr);
  CHECK(copy.get_extension(MIXOP_STRUCTURE_EXTENSION) == &structure);
}

TEST_CASE("an operator's extension that is not whole is refused", "[plugins][descriptor]") {
  extension_refused(MIXOP_STRUCTURE_EXTENSION, MixopStructure{8, 0, nullptr},
                    "component 'acme.op': its extension mixop.structure/1 has size 8; expected at least 16");
  extension_refused(MIXOP_STRUCTURE_EXTENSION, MixopStructure{16, 0, nullptr},
                    "component 'acme.op': 'describe' is NULL; expected a function");
  extension_refused(MIXOP_COST_EXTENSION, MixopCostTable{0, 0, nullptr},
                    "its extension mixop.cost/1 has size 0; expected at least 16");
  extension_refused(MIXOP_COST_EXTENSION, MixopCostTable{16, 0, nullptr}, "'cost' is NULL");
  extension_refused(MIXOP_BACKWARD_EXTENSION, MixopBackward{4, 0, nullptr},
                    "its extension mixop.backward/1 has size 4; expected at least 16");
  extension_refused(MIXOP_BACKWARD_EXTENSION, MixopBackward{16, 0, nullptr}, "'backward' is NULL");
  component_refused([](Sample& s) { s.op.get_extension = [](const char*) -> const void* { throw 1; }; },
                    "its get_extension(\"mixop.structure/1\") threw an exception; expected a table or NULL");
}

TEST_CASE("a strategy that leaves a place open is refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.strategy.size = 8; }, "component 'strategy' has size 8; expected at least 24");
  constexpr std::size_t kSlots = mixop::strategy_slots.size();
  component_refused([](Sample& s) { s.strategy.part_count = kSlots + 1; },
                    "component 'strategy' has " + std::to_string(kSlots + 1) +
                        " parts; expected at most one for each of " + std::to_string(kSlots) + " slots");
  component_refused([](Sample& s) { s.strategy.parts = nullptr; }, "component 'strategy' has 3 parts at NULL");
  component_refused([](Sample& s) { s.parts[0].size = 4; }, "component 'strategy', part 0 has size 4; expected at least 32");
  component_refused([](Sample& s) { s.parts[2].size = 40; }, "part 2 has size 40; expected 32, as the array's first");
  component_refused([](Sample& s) { s.parts[1].slot = nullptr; }, "component 'strategy', part 1: its slot is NULL");
  component_refused([](Sample& s) { s.parts[1].slot = "hypergradeint"; },
                    "component 'strategy', part 1: unknown slot 'hypergradeint'; did you mean 'hypergradient'?");
  component_refused([](Sample& s) { s.parts[1].slot = "relaxation"; },
                    "component 'strategy' has two parts in the slot 'relaxation'");
  component_refused([](Sample& s) { s.parts[1].part = ""; }, "component 'strategy': its hypergradient is empty");
  component_refused([](Sample& s) { s.strategy.part_count = 2; },
                    "component 'strategy' has no part in the slot 'deriver', which cannot be empty; name the part that "
                    "reads a genotype out of relaxed alphas");
  component_refused([](Sample& s) { s.strategy.summary = nullptr; }, "component 'strategy': 'summary' is NULL");
}

TEST_CASE("badly set options of a strategy's parts are refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.parts[0].option_count = 257; },
                    "component 'strategy': its relaxation sets 257 options; expected at most 256");
  component_refused([](Sample& s) { s.parts[1].option_count = 1; }, "its hypergradient sets 1 options at NULL");
  component_refused([](Sample& s) { s.value.name = nullptr; }, "its relaxation, option 0: its name is NULL");
  component_refused([](Sample& s) { s.value.value = nullptr; }, "its relaxation, option 'temperature': its value is NULL");
  MixopOptionValue twice[2];
  component_refused(
      [&](Sample& s) {
        twice[0] = twice[1] = s.value;
        s.parts[0].options = twice;
        s.parts[0].option_count = 2;
      },
      "its relaxation sets option 'temperature' twice");
}

TEST_CASE("badly declared options are refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.dataset.option_count = 257; },
                    "component 'data' declares 257 options; expected at most 256");
  component_refused([](Sample& s) { s.dataset.options = nullptr; }, "component 'data' declares 1 options at NULL");
  component_refused([](Sample& s) { s.option.size = 8; }, "component 'data', option 0 has size 8; expected at least 32");
  component_refused([](Sample& s) { s.option.name = nullptr; }, "component 'data', option 0: its name is NULL");
  component_refused([](Sample& s) { s.option.type = 5; }, "option 'rate' has type 5; expected 0 (bool) to 4 (list)");
  component_refused([](Sample& s) { s.option.default_value = nullptr; }, "option 'rate': its default is NULL");
  component_refused([](Sample& s) { s.option.default_value = "fast"; },
                    "option 'rate' has the default 'fast', which its type forbids");
  component_refused([](Sample& s) { s.option.help = ""; }, "option 'rate': its help is empty");
  MixopOptionSpec twice[2];
  component_refused(
      [&](Sample& s) {
        twice[0] = twice[1] = s.option;
        s.dataset.options = twice;
        s.dataset.option_count = 2;
      },
      "option 'rate' is declared twice");
}

TEST_CASE("an operator's options are read since ABI 1.1", "[plugins][descriptor]") {
  Sample sample;
  sample.op.options = &sample.option;
  sample.op.option_count = 1;
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  const auto& op = std::get<MixopOperator>(contents.components[1].table);
  REQUIRE(op.option_count == 1);
  CHECK(op.options[0].name == std::string("rate"));

  sample.op.size = offsetof(MixopOperator, options);
  const auto earlier = mixop::read_descriptor(&sample.descriptor, sample.file);
  CHECK(std::get<MixopOperator>(earlier.components[1].table).option_count == 0);
  component_refused([](Sample& s) { s.op.option_count = 1; }, "component 'acme.op' declares 1 options at NULL");
  component_refused(
      [](Sample& s) {
        s.option.type = MIXOP_OPTION_LIST;
        s.dataset.option_count = 0;
        s.op.options = &s.option;
        s.op.option_count = 1;
      },
      "component 'acme.op', option 'rate' is a list; an operator's options stand in its name, where a list has no "
      "place. "
      "Make it a text");
}

TEST_CASE("a strategy may name a part with its plugin", "[plugins][descriptor]") {
  Sample sample;
  sample.parts[0].part = "acme.parts/softmax";
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  CHECK(std::get<mixop::NamedStrategy>(contents.components[3].table).parts.at("relaxation").part ==
        "acme.parts/softmax");
  for (const char* wrong : {"a/b/c", "/softmax", "acme/", "a b"})
    component_refused([&](Sample& s) { s.parts[0].part = wrong; },
                      "its relaxation is '" + std::string(wrong) + "'; expected letters");
}

TEST_CASE("interfaces and kinds have names for messages", "[plugins][descriptor]") {
  CHECK(mixop::noun_of("mixop.edge_rule/1") == "edge rule");
  CHECK(mixop::noun_of(MIXOP_OPERATOR_INTERFACE) == "operator");
  CHECK(mixop::kind_names(MIXOP_KIND_OPERATOR | MIXOP_KIND_STRATEGY) == "operator, strategy");
}
