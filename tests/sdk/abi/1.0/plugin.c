/* A plugin of ABI 1.0 in C, without LibTorch: an operator that is described, and drawn images whose class is the side of a bar. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mixop/abi/dataset.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"

enum { SIDE = 8, RECORDS = 48 };

__attribute__((section(".note.mixop"), used, aligned(4))) static const MixopNote note = {
    6, 44, MIXOP_NOTE_TYPE, MIXOP_NOTE_NAME, 1, 0, MIXOP_KIND_OPERATOR | MIXOP_KIND_DATASET, MIXOP_TIER_NONE,
    MIXOP_FLAG_CXX11_ABI, 0, 0, 0, {0, 0, 0, 0}};

/* ReLU, 3x3 convolution, batch norm. */
static MixopStatus describe(const MixopOpSpec* spec, MixopStructureSink sink, void* context, MixopError* error) {
  static const int32_t before[3] = {0, 1, 2};
  MixopStage stages[3];
  memset(stages, 0, sizeof stages);
  for (int i = 0; i < 3; ++i) {
    stages[i].size = sizeof *stages;
    stages[i].name = i == 1 ? "op.1" : i == 2 ? "op.2" : "";
    stages[i].inputs = before + i;
    stages[i].input_count = 1;
    stages[i].groups = 1;
    for (int side = 0; side < 2; ++side) stages[i].kernel[side] = stages[i].stride[side] = stages[i].dilation[side] = 1;
  }
  stages[0].kind = MIXOP_STAGE_RELU;
  stages[1].kind = MIXOP_STAGE_CONV;
  stages[1].in = spec->in;
  stages[1].out = spec->out;
  for (int side = 0; side < 2; ++side) {
    stages[1].kernel[side] = 3;
    stages[1].stride[side] = spec->stride;
    stages[1].padding[side] = 1;
  }
  stages[2].kind = MIXOP_STAGE_BATCH_NORM;
  stages[2].in = stages[2].out = spec->out;
  stages[2].affine = spec->affine;
  stages[2].epsilon = 1e-5;
  stages[2].momentum = 0.1;
  sink(context, stages, 3);
  (void)error;
  return MIXOP_OK;
}

static const MixopStructure structure = {.size = sizeof structure, .describe = describe};

static const void* extension(const char* id) {
  return strcmp(id, MIXOP_STRUCTURE_EXTENSION) == 0 ? &structure : NULL;
}

static const MixopOperator conv = {.size = sizeof conv, .domain = MIXOP_DOMAIN_IMAGE, .get_extension = extension};

static MixopStatus open_bars(const MixopDatasetSource* source, MixopDatasetInstance** instance, MixopError* error) {
  (void)source, (void)error;
  *instance = malloc(1);
  return *instance == NULL ? MIXOP_ERROR_FAILED : MIXOP_OK;
}

static void close_bars(MixopDatasetInstance* instance) { free(instance); }

static MixopStatus info_of_bars(MixopDatasetInstance* instance, MixopDatasetInfo* info, MixopError* error) {
  static const char* const names[2] = {"left", "right"};
  (void)instance, (void)error;
  info->kind = MIXOP_DATA_IMAGES;
  info->records[MIXOP_SPLIT_TRAIN] = RECORDS;
  info->records[MIXOP_SPLIT_TEST] = RECORDS / 4;
  info->classes = 2;
  info->class_names = names;
  info->channels = 1;
  info->height = info->width = SIDE;
  info->mean[0] = 0.5f;
  info->deviation[0] = 0.25f;
  return MIXOP_OK;
}

static MixopStatus read_bars(MixopDatasetInstance* instance, int32_t split, int64_t first, int64_t count, uint8_t* values,
                             int64_t* targets, MixopError* error) {
  (void)instance, (void)split, (void)error;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t right = (first + i) % 2;
    targets[i] = right;
    for (int pixel = 0; pixel < SIDE * SIDE; ++pixel)
      *values++ = (uint8_t)(pixel % SIDE == (right ? SIDE - 2 : 1) ? 200 + (first + i) % 50 : 20);
  }
  return MIXOP_OK;
}

static const MixopDataset bars = {.size = sizeof bars,
                                  .expects = "nothing: they are drawn",
                                  .open = open_bars,
                                  .close = close_bars,
                                  .info = info_of_bars,
                                  .read = read_bars};

static const MixopComponent components[2] = {
    {.size = sizeof *components, .kind = MIXOP_KIND_OPERATOR, .name = "old.conv", .interface = MIXOP_OPERATOR_INTERFACE,
     .table = &conv, .summary = "ReLU, 3x3 convolution, batch norm."},
    {.size = sizeof *components, .kind = MIXOP_KIND_DATASET, .name = "old.bars", .interface = MIXOP_DATASET_INTERFACE,
     .table = &bars}};

__attribute__((visibility("default"))) const MixopPluginDescriptor* mixop_plugin_v1(void) {
  static const MixopPluginDescriptor descriptor = {.size = sizeof descriptor,
                                                   .abi_major = 1,
                                                   .abi_minor = 0,
                                                   .id = "old.plugin",
                                                   .version = "1.0.0",
                                                   .summary = "Of the first version of the ABI.",
                                                   .component_count = 2,
                                                   .components = components};
  return &descriptor;
}
