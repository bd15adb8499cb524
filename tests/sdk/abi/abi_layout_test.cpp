// The layout that plugins built with ABI 1.0 rely on: a number that changes here breaks them.
#include <cstddef>

#include "mixop/abi/dataset.h"
#include "mixop/abi/factory.h"
#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"
#include "tests/catch.hpp"

TEST_CASE("the note is 64 bytes in its documented order", "[abi]") {
  CHECK(sizeof(MixopNote) == 64);
  CHECK(offsetof(MixopNote, name) == 12);
  CHECK(offsetof(MixopNote, abi_major) == 20);
  CHECK(offsetof(MixopNote, abi_minor) == 22);
  CHECK(offsetof(MixopNote, kinds) == 24);
  CHECK(offsetof(MixopNote, tier) == 28);
  CHECK(offsetof(MixopNote, flags) == 32);
  CHECK(offsetof(MixopNote, libtorch_version) == 36);
  CHECK(offsetof(MixopNote, cuda_version) == 40);
  CHECK(offsetof(MixopNote, reserved) == 44);
}

TEST_CASE("an error is 512 bytes", "[abi]") {
  CHECK(sizeof(MixopError) == 512);
  CHECK(offsetof(MixopError, message) == 8);
}

TEST_CASE("a plugin's descriptor and components keep their layout", "[abi]") {
  CHECK(sizeof(MixopPluginDescriptor) == 64);
  CHECK(offsetof(MixopPluginDescriptor, id) == 8);
  CHECK(offsetof(MixopPluginDescriptor, component_count) == 32);
  CHECK(offsetof(MixopPluginDescriptor, components) == 40);
  CHECK(offsetof(MixopPluginDescriptor, init) == 48);
  CHECK(offsetof(MixopPluginDescriptor, get_extension) == 56);
  CHECK(sizeof(MixopComponent) == 32);
  CHECK(offsetof(MixopComponent, table) == 24);
  CHECK(sizeof(MixopHost) == 32);
  CHECK(offsetof(MixopHost, get_extension) == 24);
}

TEST_CASE("operators keep their layout", "[abi]") {
  CHECK(offsetof(MixopOperator, create) == 8);
  CHECK(offsetof(MixopOperator, forward) == 24);
  CHECK(offsetof(MixopOperator, state) == 40);
  CHECK(offsetof(MixopOperator, backward) == 48);
  CHECK(offsetof(MixopOperator, cost) == 64);
  CHECK(sizeof(MixopOperator) == 72);
  CHECK(sizeof(MixopOpSpec) == 24);
  CHECK(sizeof(MixopForward) == 24);
  CHECK(sizeof(MixopState) == 24);
  CHECK(sizeof(MixopCost) == 24);
  CHECK(sizeof(MixopStage) == 88);
  CHECK(offsetof(MixopStage, state) == 52);
  CHECK(offsetof(MixopStage, epsilon) == 72);
}

TEST_CASE("data sets keep their layout", "[abi]") {
  CHECK(sizeof(MixopDataset) == 56);
  CHECK(offsetof(MixopDataset, open) == 24);
  CHECK(offsetof(MixopDataset, read) == 48);
  CHECK(sizeof(MixopDatasetSource) == 24);
  CHECK(offsetof(MixopDatasetInfo, records) == 8);
  CHECK(offsetof(MixopDatasetInfo, class_names) == 40);
  CHECK(offsetof(MixopDatasetInfo, mean) == 68);
  CHECK(offsetof(MixopDatasetInfo, files) == 104);
  CHECK(sizeof(MixopDatasetInfo) == 120);
}

TEST_CASE("factories, strategies and options keep their layout", "[abi]") {
  CHECK(sizeof(MixopFactory) == 32);
  CHECK(offsetof(MixopFactory, create) == 16);
  CHECK(sizeof(MixopStrategy) == 64);
  CHECK(offsetof(MixopStrategy, summary) == 56);
  CHECK(sizeof(MixopOptionSpec) == 32);
  CHECK(sizeof(MixopOptionValue) == 16);
}

TEST_CASE("the codes and bits of ABI 1 keep their values", "[abi]") {
  CHECK(MIXOP_ERROR_UNSUPPORTED == 5);
  CHECK(MIXOP_KIND_STRATEGY == 8);
  CHECK(MIXOP_TIER_NATIVE == 2);
  CHECK(MIXOP_FLAG_CUDA == 16);
  CHECK(MIXOP_STAGE_GLOBAL_AVG_POOL == 12);
  CHECK(MIXOP_STATE_BUFFER == 1);
  CHECK(MIXOP_SPLIT_COUNT == 3);
  CHECK(MIXOP_OPTION_LIST == 4);
}
