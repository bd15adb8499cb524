// The layout and the codes that plugins built with ABI 1 rely on: a number that changes here breaks them. That no
// struct and no field is left out is tested by tests/attack/abi.py.
#include <cstddef>
#include <string>

#include "mixop/abi/dataset.h"
#include "mixop/abi/ext/backward.h"
#include "mixop/abi/ext/cost.h"
#include "mixop/abi/ext/log.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/abi/factory.h"
#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"
#include "tests/catch.hpp"

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type " has another size")
#define FIELD(type, field, offset, bytes)                                          \
  static_assert(offsetof(type, field) == (offset), #type "." #field " has moved"); \
  static_assert(sizeof(type::field) == (bytes), #type "." #field " has another size")
// A struct that begins with its size and a word that nothing uses.
#define OPENS(type, bytes)   \
  SIZE(type, bytes);         \
  FIELD(type, size, 0, 4);   \
  FIELD(type, reserved, 4, 4)

// error.h

SIZE(MixopError, 512);
FIELD(MixopError, size, 0, 4);
FIELD(MixopError, code, 4, 4);
FIELD(MixopError, message, 8, 504);

// option.h

SIZE(MixopOptionSpec, 32);
FIELD(MixopOptionSpec, size, 0, 4);
FIELD(MixopOptionSpec, type, 4, 4);
FIELD(MixopOptionSpec, name, 8, 8);
FIELD(MixopOptionSpec, default_value, 16, 8);
FIELD(MixopOptionSpec, help, 24, 8);

SIZE(MixopOptionValue, 16);
FIELD(MixopOptionValue, name, 0, 8);
FIELD(MixopOptionValue, value, 8, 8);

// note.h

SIZE(MixopNote, 64);
FIELD(MixopNote, name_size, 0, 4);
FIELD(MixopNote, desc_size, 4, 4);
FIELD(MixopNote, type, 8, 4);
FIELD(MixopNote, name, 12, 8);
FIELD(MixopNote, abi_major, 20, 2);
FIELD(MixopNote, abi_minor, 22, 2);
FIELD(MixopNote, kinds, 24, 4);
FIELD(MixopNote, tier, 28, 4);
FIELD(MixopNote, flags, 32, 4);
FIELD(MixopNote, libtorch_version, 36, 4);
FIELD(MixopNote, cuda_version, 40, 4);
FIELD(MixopNote, native_revision, 44, 4);
FIELD(MixopNote, reserved, 48, 16);

// plugin.h

SIZE(MixopComponent, 40);
FIELD(MixopComponent, size, 0, 4);
FIELD(MixopComponent, kind, 4, 4);
FIELD(MixopComponent, name, 8, 8);
FIELD(MixopComponent, interface, 16, 8);
FIELD(MixopComponent, table, 24, 8);
FIELD(MixopComponent, summary, 32, 8);

SIZE(MixopHost, 24);
FIELD(MixopHost, size, 0, 4);
FIELD(MixopHost, version, 8, 8);
FIELD(MixopHost, get_extension, 16, 8);

SIZE(MixopPluginDescriptor, 56);
FIELD(MixopPluginDescriptor, size, 0, 4);
FIELD(MixopPluginDescriptor, abi_major, 4, 2);
FIELD(MixopPluginDescriptor, abi_minor, 6, 2);
FIELD(MixopPluginDescriptor, id, 8, 8);
FIELD(MixopPluginDescriptor, version, 16, 8);
FIELD(MixopPluginDescriptor, summary, 24, 8);
FIELD(MixopPluginDescriptor, component_count, 32, 4);
FIELD(MixopPluginDescriptor, reserved, 36, 4);
FIELD(MixopPluginDescriptor, components, 40, 8);
FIELD(MixopPluginDescriptor, init, 48, 8);

// operator.h

SIZE(MixopOpSpec, 48);
FIELD(MixopOpSpec, size, 0, 4);
FIELD(MixopOpSpec, affine, 4, 4);
FIELD(MixopOpSpec, in, 8, 8);
FIELD(MixopOpSpec, out, 16, 8);
FIELD(MixopOpSpec, stride, 24, 8);
FIELD(MixopOpSpec, options, 32, 8);
FIELD(MixopOpSpec, option_count, 40, 4);
FIELD(MixopOpSpec, reserved, 44, 4);

SIZE(MixopForward, 24);
FIELD(MixopForward, size, 0, 4);
FIELD(MixopForward, training, 4, 4);
FIELD(MixopForward, update_statistics, 8, 4);
FIELD(MixopForward, reserved, 12, 4);
FIELD(MixopForward, key, 16, 8);

SIZE(MixopState, 32);
FIELD(MixopState, size, 0, 4);
FIELD(MixopState, kind, 4, 4);
FIELD(MixopState, name, 8, 8);
FIELD(MixopState, tensor, 16, 8);
FIELD(MixopState, elements, 24, 8);

SIZE(MixopOperator, 72);
FIELD(MixopOperator, size, 0, 4);
FIELD(MixopOperator, domain, 4, 4);
FIELD(MixopOperator, create, 8, 8);
FIELD(MixopOperator, destroy, 16, 8);
FIELD(MixopOperator, forward, 24, 8);
FIELD(MixopOperator, state_count, 32, 8);
FIELD(MixopOperator, state, 40, 8);
FIELD(MixopOperator, get_extension, 48, 8);
FIELD(MixopOperator, options, 56, 8);
FIELD(MixopOperator, option_count, 64, 4);
FIELD(MixopOperator, reserved, 68, 4);

// ext/structure.h

SIZE(MixopStage, 144);
FIELD(MixopStage, size, 0, 4);
FIELD(MixopStage, kind, 4, 4);
FIELD(MixopStage, name, 8, 8);
FIELD(MixopStage, inputs, 16, 8);
FIELD(MixopStage, input_count, 24, 4);
FIELD(MixopStage, affine, 28, 4);
FIELD(MixopStage, bias, 32, 4);
FIELD(MixopStage, reserved, 36, 4);
FIELD(MixopStage, in, 40, 8);
FIELD(MixopStage, out, 48, 8);
FIELD(MixopStage, groups, 56, 8);
FIELD(MixopStage, kernel, 64, 16);
FIELD(MixopStage, stride, 80, 16);
FIELD(MixopStage, padding, 96, 16);
FIELD(MixopStage, dilation, 112, 16);
FIELD(MixopStage, epsilon, 128, 8);
FIELD(MixopStage, momentum, 136, 8);

OPENS(MixopStructure, 16);
FIELD(MixopStructure, describe, 8, 8);

// ext/cost.h

OPENS(MixopCost, 32);
FIELD(MixopCost, parameters, 8, 8);
FIELD(MixopCost, multiply_adds, 16, 8);
FIELD(MixopCost, activations, 24, 8);

OPENS(MixopCostTable, 16);
FIELD(MixopCostTable, cost, 8, 8);

// ext/backward.h

OPENS(MixopBackward, 16);
FIELD(MixopBackward, backward, 8, 8);

// ext/log.h

OPENS(MixopLog, 16);
FIELD(MixopLog, log, 8, 8);

// dataset.h

SIZE(MixopDatasetSource, 24);
FIELD(MixopDatasetSource, size, 0, 4);
FIELD(MixopDatasetSource, option_count, 4, 4);
FIELD(MixopDatasetSource, folder, 8, 8);
FIELD(MixopDatasetSource, options, 16, 8);

SIZE(MixopDatasetInfo, 216);
FIELD(MixopDatasetInfo, size, 0, 4);
FIELD(MixopDatasetInfo, kind, 4, 4);
FIELD(MixopDatasetInfo, records, 8, 24);
FIELD(MixopDatasetInfo, classes, 32, 8);
FIELD(MixopDatasetInfo, class_names, 40, 8);
FIELD(MixopDatasetInfo, channels, 48, 4);
FIELD(MixopDatasetInfo, height, 52, 4);
FIELD(MixopDatasetInfo, width, 56, 4);
FIELD(MixopDatasetInfo, crop_padding, 60, 4);
FIELD(MixopDatasetInfo, horizontal_flip, 64, 4);
FIELD(MixopDatasetInfo, mean, 68, 16);
FIELD(MixopDatasetInfo, deviation, 84, 16);
FIELD(MixopDatasetInfo, files, 104, 8);
FIELD(MixopDatasetInfo, file_count, 112, 4);
FIELD(MixopDatasetInfo, reserved, 116, 4);
FIELD(MixopDatasetInfo, images_vary, 120, 4);
FIELD(MixopDatasetInfo, skip_corrupt, 124, 4);
FIELD(MixopDatasetInfo, resize, 128, 4);
FIELD(MixopDatasetInfo, reserved_1, 132, 4);
FIELD(MixopDatasetInfo, crop_area, 136, 16);
FIELD(MixopDatasetInfo, crop_ratio, 152, 16);
FIELD(MixopDatasetInfo, jitter, 168, 32);
FIELD(MixopDatasetInfo, listing, 200, 8);
FIELD(MixopDatasetInfo, notes, 208, 8);

SIZE(MixopDataset, 64);
FIELD(MixopDataset, size, 0, 4);
FIELD(MixopDataset, option_count, 4, 4);
FIELD(MixopDataset, options, 8, 8);
FIELD(MixopDataset, expects, 16, 8);
FIELD(MixopDataset, open, 24, 8);
FIELD(MixopDataset, close, 32, 8);
FIELD(MixopDataset, info, 40, 8);
FIELD(MixopDataset, read, 48, 8);
FIELD(MixopDataset, decode, 56, 8);

// factory.h

SIZE(MixopFactory, 32);
FIELD(MixopFactory, size, 0, 4);
FIELD(MixopFactory, option_count, 4, 4);
FIELD(MixopFactory, options, 8, 8);
FIELD(MixopFactory, create, 16, 8);
FIELD(MixopFactory, destroy, 24, 8);

SIZE(MixopStrategyPart, 32);
FIELD(MixopStrategyPart, size, 0, 4);
FIELD(MixopStrategyPart, option_count, 4, 4);
FIELD(MixopStrategyPart, slot, 8, 8);
FIELD(MixopStrategyPart, part, 16, 8);
FIELD(MixopStrategyPart, options, 24, 8);

SIZE(MixopStrategy, 24);
FIELD(MixopStrategy, size, 0, 4);
FIELD(MixopStrategy, part_count, 4, 4);
FIELD(MixopStrategy, parts, 8, 8);
FIELD(MixopStrategy, summary, 16, 8);

TEST_CASE("the codes and bits of ABI 1 keep their values", "[abi]") {
  CHECK(MIXOP_OK == 0);
  CHECK(MIXOP_ERROR_FAILED == 1);
  CHECK(MIXOP_ERROR_USAGE == 2);
  CHECK(MIXOP_ERROR_BAD_DATA == 3);
  CHECK(MIXOP_ERROR_PLUGIN == 4);
  CHECK(MIXOP_ERROR_UNSUPPORTED == 5);
  CHECK(MIXOP_OPTION_BOOL == 0);
  CHECK(MIXOP_OPTION_INTEGER == 1);
  CHECK(MIXOP_OPTION_REAL == 2);
  CHECK(MIXOP_OPTION_TEXT == 3);
  CHECK(MIXOP_OPTION_LIST == 4);
  CHECK(MIXOP_KIND_OPERATOR == 1);
  CHECK(MIXOP_KIND_SPACE == 2);
  CHECK(MIXOP_KIND_DATASET == 4);
  CHECK(MIXOP_KIND_STRATEGY == 8);
  CHECK(MIXOP_TIER_NONE == 0);
  CHECK(MIXOP_TIER_STABLE == 1);
  CHECK(MIXOP_TIER_NATIVE == 2);
  CHECK(MIXOP_FLAG_CXX11_ABI == 1);
  CHECK(MIXOP_FLAG_DEBUG_STDLIB == 2);
  CHECK(MIXOP_FLAG_ASAN == 4);
  CHECK(MIXOP_FLAG_TSAN == 8);
  CHECK(MIXOP_FLAG_CUDA == 16);
  CHECK(MIXOP_DOMAIN_IMAGE == 0);
  CHECK(MIXOP_DOMAIN_RECURRENT == 1);
  CHECK(MIXOP_STATE_PARAMETER == 0);
  CHECK(MIXOP_STATE_BUFFER == 1);
  CHECK(MIXOP_STAGE_ZERO == 1);
  CHECK(MIXOP_STAGE_IDENTITY == 2);
  CHECK(MIXOP_STAGE_RELU == 3);
  CHECK(MIXOP_STAGE_TANH == 4);
  CHECK(MIXOP_STAGE_SIGMOID == 5);
  CHECK(MIXOP_STAGE_CONV == 6);
  CHECK(MIXOP_STAGE_BATCH_NORM == 7);
  CHECK(MIXOP_STAGE_MAX_POOL == 8);
  CHECK(MIXOP_STAGE_AVG_POOL == 9);
  CHECK(MIXOP_STAGE_GLOBAL_AVG_POOL == 10);
  CHECK(MIXOP_STAGE_LINEAR == 11);
  CHECK(MIXOP_STAGE_SHIFT == 12);
  CHECK(MIXOP_STAGE_ADD == 13);
  CHECK(MIXOP_STAGE_MULTIPLY == 14);
  CHECK(MIXOP_STAGE_CONCAT == 15);
  CHECK(MIXOP_STAGE_SHUFFLE == 16);
  CHECK(MIXOP_LOG_DEBUG == 0);
  CHECK(MIXOP_LOG_INFO == 1);
  CHECK(MIXOP_LOG_WARNING == 2);
  CHECK(MIXOP_SPLIT_TRAIN == 0);
  CHECK(MIXOP_SPLIT_VALID == 1);
  CHECK(MIXOP_SPLIT_TEST == 2);
  CHECK(MIXOP_SPLIT_COUNT == 3);
  CHECK(MIXOP_DATA_IMAGES == 0);
  CHECK(MIXOP_DATA_TEXT == 1);
}

TEST_CASE("the ids and names of ABI 1 keep their texts", "[abi]") {
  CHECK(std::string(MIXOP_PLUGIN_SYMBOL) == "mixop_plugin_v1");
  CHECK(std::string(MIXOP_NOTE_SECTION) == ".note.mixop");
  CHECK(std::string(MIXOP_NOTE_NAME) == "mixop");
  CHECK(MIXOP_NOTE_TYPE == 1);
  CHECK(std::string(MIXOP_OPERATOR_INTERFACE) == "mixop.operator/1");
  CHECK(std::string(MIXOP_DATASET_INTERFACE) == "mixop.dataset/1");
  CHECK(std::string(MIXOP_STRATEGY_INTERFACE) == "mixop.strategy/1");
  CHECK(std::string(MIXOP_STRUCTURE_EXTENSION) == "mixop.structure/1");
  CHECK(std::string(MIXOP_COST_EXTENSION) == "mixop.cost/1");
  CHECK(std::string(MIXOP_BACKWARD_EXTENSION) == "mixop.backward/1");
  CHECK(std::string(MIXOP_LOG_EXTENSION) == "mixop.log/1");
}
