#include "host/search/search_data.hpp"

#include <ATen/ATen.h>

#include "host/search/batches.hpp"
#include "host/search/text_batches.hpp"

namespace mixop {

std::unique_ptr<SearchData> open_search_data(const DatasetHandle& data, const Config& config, at::ScalarType type,
                                             at::Device device) {
  if (data.info().kind == MIXOP_DATA_TEXT) return std::make_unique<TextBatches>(data, config, device);
  return std::make_unique<SearchBatches>(data, config, type, device);
}

Batch drawn_images(const ImageShape& shape, std::int64_t images, at::ScalarType type, at::Device device) {
  const auto options = at::TensorOptions(device);
  return {at::linspace(-2, 2, images * numbers_of(shape), options.dtype(type))
              .view({images, shape.channels, shape.height, shape.width}),
          at::zeros({images}, options.dtype(at::kLong))};
}

Batch drawn_words(std::int64_t time, std::int64_t columns, at::Device device) {
  const at::Tensor words = at::zeros({time, columns}, at::TensorOptions(device).dtype(at::kLong));
  return {words, words};
}

}  // namespace mixop
