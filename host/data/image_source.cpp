#include "host/data/image_source.hpp"

#include <string>

#include "host/data/image_pipeline.hpp"

namespace mixop {

std::int64_t images_of(const DatasetHandle& data, int split, std::int64_t limit) {
  const std::string where = "data set '" + data.name() + "', split '" + split_name(split) + "'";
  if (data.info().kind != MIXOP_DATA_IMAGES)
    throw Error(ErrorCode::usage, where + ": expected images, found text; choose a data set of images");
  const std::int64_t records = data.info().records[static_cast<std::size_t>(split)];
  if (records == 0) throw Error(ErrorCode::usage, where + ": it has no records; choose a data set that has this split");
  if (limit < 0 || limit > records)
    throw Error(ErrorCode::usage, where + ": asked for the first " + std::to_string(limit) + " records but it has " +
                                      std::to_string(records) + "; give 0 (all) to " + std::to_string(records));
  return limit == 0 ? records : limit;
}

std::unique_ptr<ImageSource> open_images(const DatasetHandle& data, int split, std::int64_t limit,
                                         std::int64_t boundary) {
  return std::make_unique<ImagePipeline>(data, split, limit, boundary);
}

}  // namespace mixop
