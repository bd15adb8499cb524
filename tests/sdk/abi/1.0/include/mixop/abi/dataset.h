#pragma once

#include "mixop/abi/error.h"
#include "mixop/abi/option.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MIXOP_DATASET_INTERFACE "mixop.dataset/1"

enum { MIXOP_SPLIT_TRAIN = 0, MIXOP_SPLIT_VALID = 1, MIXOP_SPLIT_TEST = 2, MIXOP_SPLIT_COUNT = 3 };
enum { MIXOP_DATA_IMAGES = 0, MIXOP_DATA_TEXT = 1 };
typedef struct MixopDatasetSource {
  uint32_t size;
  uint32_t option_count;
  const char* folder; /* --data or MIXOP_DATA; "" where the user gave none */
  const MixopOptionValue* options;
} MixopDatasetSource;

typedef struct MixopDatasetInfo {
  uint32_t size;
  int32_t kind;                       /* MIXOP_DATA_* */
  int64_t records[MIXOP_SPLIT_COUNT]; /* images, or tokens; 0: the split does not exist */
  int64_t classes;                    /* classes, or the vocabulary's size */
  const char* const* class_names;     /* `classes` of them, owned by the data set */
  int32_t channels, height, width;    /* images: every record is uint8[channels][height][width] */
  int32_t crop_padding;        /* published training augmentation: random crop after this zero padding; 0: none */
  int32_t horizontal_flip;     /* 1: random flip in training */
  float mean[4], deviation[4]; /* per channel, of pixels scaled to [0, 1] */
  const char* const* files;    /* the files read, for the archive's digest; empty for drawn data */
  uint32_t file_count;
  uint32_t reserved;
  /*
   * images_vary 1: records have sizes of their own and are read by `decode`; channels (3), height and
   * width are what networks get of them, as the fields below say. 0: of all below `listing` and `notes` alone count.
   */
  int32_t images_vary;
  int32_t skip_corrupt; /* 1: the next record that can be decoded stands for one that cannot; 0: that is an error */
  /* evaluation: before the central crop an image is resized until it just covers a box of the proportions of height and
   * width; this is the box's shorter side, and where they are equal the image's own */
  int32_t resize;
  uint32_t reserved_1;
  double crop_area[2];  /* training: a random crop of this share of the area, */
  double crop_ratio[2]; /* of this width / height, 1/1000 to 1000, resized */
  double jitter[4];     /* training: strengths of brightness, contrast, saturation and hue; 0: none */
  const char* listing;  /* for the digest in place of the bytes of many files: their names and sizes; or NULL */
  const char* notes;    /* for people, a line each: what of the data is left out, how it is taken; or NULL */
} MixopDatasetInfo;

typedef struct MixopDatasetInstance MixopDatasetInstance;

/* Takes an image of at most 65536 pixels a side, uint8[height][width][channels], the caller's again after the call. */
typedef void (*MixopImageSink)(void* context, int32_t height, int32_t width, const uint8_t* pixels);

/*
 * A data set: immutable records behind an index. Shuffling and augmentation are the host's, as functions of
 * (seed, epoch, index). `read` and `decode` may be called from several threads at once.
 */
typedef struct MixopDataset {
  uint32_t size;
  uint32_t option_count;
  const MixopOptionSpec* options;
  const char* expects; /* the layouts on disk that `open` understands, for messages and `data describe` */
  MixopStatus (*open)(const MixopDatasetSource* source, MixopDatasetInstance** instance, MixopError* error);
  void (*close)(MixopDatasetInstance* instance);
  MixopStatus (*info)(MixopDatasetInstance* instance, MixopDatasetInfo* info, MixopError* error);
  /*
   * Records [first, first + count) of a split into the caller's buffers. Images: `values` takes
   * count * channels * height * width bytes and `targets` count class indices. Text: `targets` takes the tokens,
   * `values` is NULL. Images of many sizes: `targets` alone, `values` is NULL.
   */
  MixopStatus (*read)(MixopDatasetInstance* instance, int32_t split, int64_t first, int64_t count, uint8_t* values,
                      int64_t* targets, MixopError* error);
  /*
   * NULL unless images_vary: decodes a record and calls `sink` once with its image. An
   * image that cannot be decoded is MIXOP_ERROR_BAD_DATA and names its file.
   */
  MixopStatus (*decode)(MixopDatasetInstance* instance, int32_t split, int64_t record, MixopImageSink sink,
                        void* context, MixopError* error);
} MixopDataset;

#ifdef __cplusplus
}
#endif
