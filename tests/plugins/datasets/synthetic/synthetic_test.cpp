#include <algorithm>
#include <limits>
#include <vector>

#include "tests/plugins/datasets/support.hpp"

namespace {

mixop::DatasetHandle open_synthetic(const std::map<std::string, std::string>& options = {}) {
  return mixop::DatasetHandle("synthetic", dataset_table("mixop_datasets_synthetic.so", "synthetic"), "", options);
}

struct Images {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels;
};

Images read(const mixop::DatasetHandle& data, int split, std::int64_t first, std::int64_t count) {
  Images images;
  images.pixels.resize(static_cast<std::size_t>(count * data.info().record_bytes()));
  images.labels.resize(static_cast<std::size_t>(count));
  data.read(split, first, count, images.pixels.data(), images.labels.data());
  return images;
}

}  // namespace

TEST_CASE("synthetic images have the asked shape and every class in turn", "[synthetic]") {
  const auto data =
      open_synthetic({{"classes", "7"}, {"size", "20"}, {"channels", "1"}, {"train", "30"}, {"test", "5"}});
  CHECK(data.info().records == std::array<std::int64_t, 3>{30, 0, 5});
  CHECK(data.info().record_bytes() == 400);
  CHECK(data.info().class_names.size() == 7);
  CHECK(data.info().class_names[6] == "class 6");
  CHECK(data.info().files.empty());
  const Images images = read(data, MIXOP_SPLIT_TRAIN, 0, 30);
  for (std::size_t i = 0; i < 30; ++i) CHECK(images.labels[i] == static_cast<std::int64_t>(i % 7));
}

TEST_CASE("a synthetic image is a function of seed, split and index alone", "[synthetic]") {
  const auto data = open_synthetic();
  const Images all = read(data, MIXOP_SPLIT_TRAIN, 0, 8);
  const Images alone = read(data, MIXOP_SPLIT_TRAIN, 5, 1);
  CHECK(std::equal(alone.pixels.begin(), alone.pixels.end(), all.pixels.begin() + 5 * 3072));
  CHECK(read(open_synthetic({{"train", "9"}}), MIXOP_SPLIT_TRAIN, 0, 8).pixels == all.pixels);
  CHECK(read(open_synthetic({{"seed", "1"}}), MIXOP_SPLIT_TRAIN, 0, 8).pixels != all.pixels);
  CHECK(read(data, MIXOP_SPLIT_TEST, 0, 8).pixels != all.pixels);
}

TEST_CASE("synthetic images are the same bytes on every machine", "[synthetic]") {
  const Images image = read(open_synthetic(), MIXOP_SPLIT_TRAIN, 0, 1);
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : image.pixels) sum = sum * 31 + byte;
  CHECK(sum == 18414778470100337753u);
}

TEST_CASE("the classes' means of synthetic images tell test images apart", "[synthetic]") {
  const auto data = open_synthetic();
  const Images train = read(data, MIXOP_SPLIT_TRAIN, 0, 1000), test = read(data, MIXOP_SPLIT_TEST, 0, 200);
  std::vector<double> means(10 * 3072);
  for (std::size_t i = 0; i < 1000; ++i)
    for (std::size_t p = 0; p < 3072; ++p) means[i % 10 * 3072 + p] += train.pixels[i * 3072 + p] / 100.0;
  int right = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    std::int64_t best = 0;
    double nearest = std::numeric_limits<double>::max();
    for (std::size_t c = 0; c < 10; ++c) {
      double distance = 0;
      for (std::size_t p = 0; p < 3072; ++p) {
        const double difference = test.pixels[i * 3072 + p] - means[c * 3072 + p];
        distance += difference * difference;
      }
      if (distance < nearest) nearest = distance, best = static_cast<std::int64_t>(c);
    }
    right += best == test.labels[i] ? 1 : 0;
  }
  // Chance is 20 of 200.
  CHECK(right > 80);
}

TEST_CASE("options of synthetic images out of range are usage errors", "[synthetic][misuse]") {
  const auto [name, value, range] = GENERATE(table<std::string, std::string, std::string>({
      {"classes", "1", "2 to 1000"},
      {"classes", "1001", "2 to 1000"},
      {"size", "3", "4 to 512"},
      {"size", "513", "4 to 512"},
      {"channels", "0", "1 to 4"},
      {"channels", "5", "1 to 4"},
      {"train", "0", "1 to 10000000"},
      {"train", "10000001", "1 to 10000000"},
      {"test", "-1", "0 to 10000000"},
      {"seed", "-1", "0 to 9223372036854775807"},
  }));
  const std::map<std::string, std::string> options = {{name, value}};
  const mixop::Error error = error_of([&] { open_synthetic(options); });
  CHECK(error.what() == "data set 'synthetic': option '" + name + "' must be " + range + ", found " + value);
  CHECK(error.code() == mixop::ErrorCode::usage);
}
