#include "host/plugins/descriptor.hpp"

#include <functional>

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
                   [](MixopOpInstance*, MixopStage*, uint32_t) -> uint32_t { return 0; },
                   nullptr};
  MixopStrategy strategy{sizeof(MixopStrategy), 0, "softmax", "first_order", "none", "none", "none", "top2", "As is."};
  MixopComponent components[4] = {
      {sizeof(MixopComponent), MIXOP_KIND_DATASET, "data", MIXOP_DATASET_INTERFACE, &dataset},
      {sizeof(MixopComponent), MIXOP_KIND_OPERATOR, "acme.op", MIXOP_OPERATOR_INTERFACE, &op},
      {sizeof(MixopComponent), MIXOP_KIND_SPACE, "space", "mixop.space/1", &factory},
      {sizeof(MixopComponent), MIXOP_KIND_STRATEGY, "strategy", MIXOP_STRATEGY_INTERFACE, &strategy}};
  MixopPluginDescriptor descriptor{
      sizeof(MixopPluginDescriptor), 1, 0, "acme.all", "1.0.0", "Everything.", 4, 0, components, nullptr, nullptr};
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
  CHECK(std::get<MixopStrategy>(contents.components[3].table).deriver == std::string("top2"));
}

TEST_CASE("fields that a shorter table does not have are zero in the host's copy", "[plugins][descriptor]") {
  Sample sample;
  sample.op.size = offsetof(MixopOperator, structure);
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  const auto& copy = std::get<MixopOperator>(contents.components[1].table);
  CHECK(copy.structure == nullptr);
  CHECK(copy.forward == sample.op.forward);
  CHECK(copy.size == sizeof(MixopOperator));
}

TEST_CASE("a table that is longer than the host's is read as far as the host knows it", "[plugins][descriptor]") {
  struct Longer {
    MixopFactory known;
    void* added;
  };
  Sample sample;
  Longer longer{sample.factory, &sample};
  longer.known.size = sizeof longer;
  sample.components[2].table = &longer;
  const auto contents = mixop::read_descriptor(&sample.descriptor, sample.file);
  CHECK(std::get<MixopFactory>(contents.components[2].table).size == sizeof(MixopFactory));
}

TEST_CASE("a bad descriptor is refused", "[plugins][descriptor]") {
  const Sample sample;
  CHECK_THROWS_WITH(mixop::read_descriptor(nullptr, sample.file), Contains("answered NULL; expected a descriptor"));
  descriptor_refused([](Sample& s) { s.descriptor.size = 8; }, "the descriptor has size 8; expected at least 64");
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
  component_refused([](Sample& s) { s.components[0].size = 24; }, "component 0 has size 24; expected 32");
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
  component_refused([](Sample& s) { s.file.note.tier = 1; },
                    "component 'space' is a C++ interface, which needs tier native; the note says tier stable");
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

TEST_CASE("a strategy that leaves a place open is refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.strategy.size = 8; }, "component 'strategy' has size 8; expected at least 64");
  component_refused([](Sample& s) { s.strategy.relaxation = nullptr; }, "component 'strategy': 'relaxation' is NULL");
  component_refused([](Sample& s) { s.strategy.hypergradient = ""; }, "'hypergradient' is empty");
  component_refused([](Sample& s) { s.strategy.regulariser = nullptr; }, "'regulariser' is NULL");
  component_refused([](Sample& s) { s.strategy.edge_transform = nullptr; }, "'edge_transform' is NULL");
  component_refused([](Sample& s) { s.strategy.stopper = nullptr; }, "'stopper' is NULL");
  component_refused([](Sample& s) { s.strategy.deriver = nullptr; }, "'deriver' is NULL");
  component_refused([](Sample& s) { s.strategy.summary = nullptr; }, "'summary' is NULL");
}

TEST_CASE("badly declared options are refused", "[plugins][descriptor]") {
  component_refused([](Sample& s) { s.dataset.option_count = 257; },
                    "component 'data' declares 257 options; expected at most 256");
  component_refused([](Sample& s) { s.dataset.options = nullptr; }, "component 'data' declares 1 options at NULL");
  component_refused([](Sample& s) { s.option.size = 8; }, "component 'data', option 0 has size 8; expected 32");
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

TEST_CASE("interfaces and kinds have names for messages", "[plugins][descriptor]") {
  CHECK(mixop::noun_of("mixop.edge_transform/1") == "edge transform");
  CHECK(mixop::noun_of(MIXOP_OPERATOR_INTERFACE) == "operator");
  CHECK(mixop::kind_names(MIXOP_KIND_OPERATOR | MIXOP_KIND_STRATEGY) == "operator, strategy");
}
