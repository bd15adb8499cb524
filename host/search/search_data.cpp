#include "host/search/search_data.hpp"

#include "host/search/batches.hpp"
#include "host/search/text_batches.hpp"

namespace mixop {

std::unique_ptr<SearchData> open_search_data(const DatasetHandle& data, const Config& config, at::ScalarType type,
                                             at::Device device) {
  if (data.info().kind == MIXOP_DATA_TEXT) return std::make_unique<TextBatches>(data, config, device);
  return std::make_unique<SearchBatches>(data, config, type, device);
}

}  // namespace mixop
