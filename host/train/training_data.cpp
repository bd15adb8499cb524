#include "host/train/training_data.hpp"

#include "host/text/sha256.hpp"
#include "host/train/image_records.hpp"
#include "host/train/text_records.hpp"

namespace mixop {

const char* records_name(Records records) {
  constexpr const char* kNames[] = {"train", "valid", "test"};
  return kNames[static_cast<std::size_t>(records)];
}

NetworkData network_data(const DatasetInfo& info) {
  std::string names;
  for (const std::string& name : info.class_names) names += name + "\n";
  return {{info.channels, info.height, info.width}, info.classes, sha256_of_text(names)};
}

std::unique_ptr<TrainingData> open_training_data(const DatasetHandle& data, const Config& config, at::ScalarType type,
                                                 at::Device device) {
  if (data.info().kind == MIXOP_DATA_TEXT) return std::make_unique<TextRecords>(data, config, device);
  return std::make_unique<ImageRecords>(data, config, type, device);
}

}  // namespace mixop
