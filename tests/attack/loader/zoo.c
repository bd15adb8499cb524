/* A zoo of broken plugins: a data set in C that is right but for the one rule that a ZOO_* macro breaks. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mixop/abi/dataset.h"
#include "tests/attack/loader/zoo.h"

#ifndef ZOO_INTERFACE
#define ZOO_INTERFACE MIXOP_DATASET_INTERFACE
#endif
#ifndef ZOO_READ
#define ZOO_READ read_zoo
#endif
#ifndef ZOO_SIZE
#define ZOO_SIZE sizeof(MixopPluginDescriptor)
#endif
#ifndef ZOO_DESCRIPTOR_MAJOR
#define ZOO_DESCRIPTOR_MAJOR ZOO_MAJOR
#endif
#ifndef ZOO_COMPONENTS
#define ZOO_COMPONENTS 1
#endif

#ifndef ZOO_WITHOUT_NOTE
ZOO_NOTE(note);
#endif
#ifdef ZOO_SECOND_NOTE
ZOO_NOTE(second_note);
#endif

#ifdef ZOO_NEEDS
int zoo_needed(void);
#endif

__attribute__((constructor)) static void run_code(void) {
  leave_trace();
#ifdef ZOO_NEEDS
  zoo_needed();
#endif
#ifdef ZOO_CONSTRUCTOR_CRASHES
  raise(SIGSEGV);
#endif
#ifdef ZOO_CHANGES_ITSELF
  FILE* file = fopen(getenv("MIXOP_ZOO_FILE"), "a");
  fputc(0, file);
  fclose(file);
#endif
}

struct MixopDatasetInstance {
  int unused;
};
static MixopDatasetInstance instance_of_all;

static MixopStatus open_zoo(const MixopDatasetSource* source, MixopDatasetInstance** instance, MixopError* error) {
  (void)source;
#ifdef ZOO_OPEN_FAILS
  snprintf(error->message, sizeof error->message, "the open that fails");
  return MIXOP_ERROR_FAILED;
#endif
#ifdef ZOO_OPEN_HANGS
  for (;;) sleep(1);
#endif
  (void)error;
  *instance = &instance_of_all;
  return MIXOP_OK;
}

static void close_zoo(MixopDatasetInstance* instance) { (void)instance; }

static MixopStatus info_zoo(MixopDatasetInstance* instance, MixopDatasetInfo* info, MixopError* error) {
  static const char* const classes[] = {"dark", "bright"};
  (void)instance;
  (void)error;
  info->kind = MIXOP_DATA_IMAGES;
  info->records[MIXOP_SPLIT_TRAIN] = 2;
  info->classes = 2;
  info->class_names = classes;
  info->channels = info->height = info->width = 1;
  info->mean[0] = 0.5F;
  info->deviation[0] = 0.5F;
  return MIXOP_OK;
}

__attribute__((unused)) static MixopStatus read_zoo(MixopDatasetInstance* instance, int32_t split, int64_t first,
                                                    int64_t count, uint8_t* values, int64_t* targets,
                                                    MixopError* error) {
  (void)instance;
  (void)split;
  (void)error;
  for (int64_t i = 0; i < count; ++i) {
    values[i] = (uint8_t)(200 * (first + i));
    targets[i] = first + i;
  }
  return MIXOP_OK;
}

static const MixopDataset table = {.size = sizeof(MixopDataset),
                                   .expects = "nothing: it is drawn",
                                   .open = open_zoo,
                                   .close = close_zoo,
                                   .info = info_zoo,
                                   .read = ZOO_READ};

static const MixopComponent components[] = {
    {sizeof(MixopComponent), MIXOP_KIND_DATASET, ZOO_ID, ZOO_INTERFACE, &table},
    {sizeof(MixopComponent), MIXOP_KIND_DATASET, ZOO_ID, ZOO_INTERFACE, &table}};

static MixopStatus init_zoo(const MixopHost* host, MixopError* error) {
  (void)host;
#ifdef ZOO_INIT_FAILS
  snprintf(error->message, sizeof error->message, "no licence");
  return MIXOP_ERROR_FAILED;
#endif
#ifdef ZOO_INIT_CRASHES
  raise(SIGSEGV);
#endif
#ifdef ZOO_INIT_ABORTS
  abort();
#endif
#ifdef ZOO_INIT_EXITS
  exit(0);
#endif
  (void)error;
  return MIXOP_OK;
}

__attribute__((unused)) static const MixopPluginDescriptor descriptor = {.size = ZOO_SIZE,
                                                                         .abi_major = ZOO_DESCRIPTOR_MAJOR,
                                                                         .abi_minor = ZOO_MINOR,
                                                                         .id = ZOO_ID,
                                                                         .version = "1.0.0",
                                                                         .summary = "Two pixels.",
                                                                         .component_count = ZOO_COMPONENTS,
                                                                         .components = components,
                                                                         .init = init_zoo};

#ifdef ZOO_EXTRA_EXPORT
__attribute__((visibility("default"))) int zoo_extra_export(void) { return 0; }
#endif

#if defined(ZOO_WITHOUT_SYMBOL)
const MixopPluginDescriptor* mixop_plugin_v0(void) { return &descriptor; }
#elif defined(ZOO_SYMBOL_IS_DATA)
__attribute__((visibility("default"))) const MixopPluginDescriptor* const mixop_plugin_v1 = &descriptor;
#elif defined(ZOO_NULL_DESCRIPTOR)
__attribute__((visibility("default"))) const MixopPluginDescriptor* mixop_plugin_v1(void) { return NULL; }
#else
__attribute__((visibility("default"))) const MixopPluginDescriptor* mixop_plugin_v1(void) { return &descriptor; }
#endif
