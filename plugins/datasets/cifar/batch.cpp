#include "batch.hpp"

#include <string>

#include "file.hpp"
#include "pickle.hpp"

namespace mixop::cifar {
namespace {

constexpr std::int64_t kCoarseClasses = 20;

void check_label(const std::filesystem::path& path, std::size_t record, const char* what, std::uint8_t label,
                 std::int64_t classes) {
  if (label < classes) return;
  refuse(path, "record " + std::to_string(record) + " has " + what + " " + std::to_string(label) + ", expected 0 to " +
                   std::to_string(classes - 1));
}

void check_count(const std::filesystem::path& path, const char* key, std::size_t found, std::int64_t images) {
  if (static_cast<std::int64_t>(found) != images)
    refuse(path, "'data' has " + std::to_string(images) + " records but '" + key + "' has " + std::to_string(found) +
                     "; the file is damaged, unpack it again");
}

}  // namespace

void append_binary(const std::filesystem::path& path, Variant variant, Records& records) {
  const bool fine = variant == Variant::cifar100;
  const std::size_t label_bytes = fine ? 2 : 1;
  const std::size_t record_bytes = label_bytes + kImageBytes;
  const std::vector<std::uint8_t> bytes = read_whole(path);
  const std::size_t count = bytes.size() / record_bytes;
  if (bytes.size() % record_bytes != 0)
    refuse(path, "expected whole records of " + std::to_string(record_bytes) + " bytes, found " +
                     std::to_string(bytes.size()) + " bytes: record " + std::to_string(count) + " ends after " +
                     std::to_string(bytes.size() % record_bytes) + "; unpack the file again");
  records.pixels.reserve(records.pixels.size() + count * kImageBytes);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* record = bytes.data() + i * record_bytes;
    if (fine) check_label(path, i, "coarse label", record[0], kCoarseClasses);
    check_label(path, i, "label", record[label_bytes - 1], class_count(variant));
    records.labels.push_back(record[label_bytes - 1]);
    records.pixels.insert(records.pixels.end(), record + label_bytes, record + record_bytes);
  }
}

void append_pickled(const std::filesystem::path& path, Variant variant, Records& records) {
  const char* key = variant == Variant::cifar10 ? "labels" : "fine_labels";
  const std::vector<std::uint8_t> bytes = read_whole(path);
  const Pickle pickle(path, bytes);
  const PickleArray data = pickle.array("data");
  if (data.columns != kImageBytes)
    refuse(path, "'data' has " + std::to_string(data.columns) + " bytes a record, expected " +
                     std::to_string(kImageBytes) + " (3 x 32 x 32)");
  const std::vector<std::uint8_t> labels = pickle.labels(key, class_count(variant));
  check_count(path, key, labels.size(), data.rows);
  if (pickle.has("filenames")) check_count(path, "filenames", pickle.texts("filenames").size(), data.rows);
  if (variant == Variant::cifar100 && pickle.has("coarse_labels"))
    check_count(path, "coarse_labels", pickle.labels("coarse_labels", kCoarseClasses).size(), data.rows);
  records.labels.insert(records.labels.end(), labels.begin(), labels.end());
  records.pixels.insert(records.pixels.end(), data.bytes.begin(), data.bytes.end());
}

}  // namespace mixop::cifar
