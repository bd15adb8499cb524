#include "tests/plugins/datasets/cifar/cifar_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

std::string batch_name(int i) { return "cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin"; }

std::string record(int label, int salt) { return byte(label) + image(salt); }

/// Five train batches of 1 to 5 records and a test batch of 2; record i of the train set has label i % 10 and salt i.
void write_cifar10(const TempFolder& folder) {
  int salt = 0;
  for (int i = 1; i <= 5; ++i) {
    std::string bytes;
    for (int k = 0; k < i; ++k, ++salt) bytes += record(salt % 10, salt);
    folder.write(batch_name(i), bytes);
  }
  folder.write("cifar-10-batches-bin/test_batch.bin", record(9, 100) + record(0, 101));
}

void check_refused(const TempFolder& folder, const std::string& component, const std::string& what) {
  const Error error = error_of([&] { open_cifar(component, folder.text()); });
  CHECK(error.what() == "data set '" + component + "': " + folder.text() + "/" + what);
  CHECK(error.code() == ErrorCode::bad_data);
}

}  // namespace

TEST_CASE("binary batches of any size are read in order", "[cifar][binary]") {
  const TempFolder folder;
  write_cifar10(folder);
  const mixop::DatasetHandle data = open_cifar("cifar10", folder.text());
  REQUIRE(data.info().records == std::array<std::int64_t, 3>{15, 0, 2});
  std::string pixels(15 * 3072, '\0');
  std::vector<std::int64_t> labels(15);
  data.read(MIXOP_SPLIT_TRAIN, 0, 15, reinterpret_cast<std::uint8_t*>(pixels.data()), labels.data());
  for (int i = 0; i < 15; ++i) {
    CHECK(labels[static_cast<std::size_t>(i)] == i % 10);
    CHECK(pixels.substr(static_cast<std::size_t>(i) * 3072, 3072) == image(i));
  }
  data.read(MIXOP_SPLIT_TEST, 1, 1, reinterpret_cast<std::uint8_t*>(pixels.data()), labels.data());
  CHECK(labels[0] == 0);
  CHECK(pixels.substr(0, 3072) == image(101));
}

TEST_CASE("CIFAR-10 has the published normalisation and augmentation", "[cifar]") {
  const TempFolder folder;
  write_cifar10(folder);
  const mixop::DatasetInfo info = open_cifar("cifar10", folder.text()).info();
  CHECK(info.classes == 10);
  CHECK(info.record_bytes() == 3072);
  CHECK(info.crop_padding == 4);
  CHECK(info.horizontal_flip);
  CHECK(info.mean == std::array<float, 4>{0.49139968f, 0.48215827f, 0.44653124f, 0.0f});
  CHECK(info.deviation == std::array<float, 4>{0.24703233f, 0.24348505f, 0.26158768f, 0.0f});
}

TEST_CASE("the fine labels of binary CIFAR-100 are read", "[cifar][binary]") {
  const TempFolder folder;
  folder.write("cifar-100-binary/train.bin", byte(19) + byte(99) + image(5) + byte(0) + byte(20) + image(6));
  folder.write("cifar-100-binary/test.bin", byte(1) + byte(2) + image(7));
  const mixop::DatasetHandle data = open_cifar("cifar100", folder.text());
  REQUIRE(data.info().records == std::array<std::int64_t, 3>{2, 0, 1});
  CHECK(data.info().classes == 100);
  CHECK(data.info().mean == std::array<float, 4>{0.5071f, 0.4867f, 0.4408f, 0.0f});
  CHECK(data.info().deviation == std::array<float, 4>{0.2675f, 0.2565f, 0.2761f, 0.0f});
  std::string pixels(2 * 3072, '\0');
  std::int64_t labels[2];
  data.read(MIXOP_SPLIT_TRAIN, 0, 2, reinterpret_cast<std::uint8_t*>(pixels.data()), labels);
  CHECK(labels[0] == 99);
  CHECK(labels[1] == 20);
  CHECK(pixels == image(5) + image(6));
}

TEST_CASE("the fine labels of pickled CIFAR-100 are read", "[cifar][pickle]") {
  const TempFolder folder;
  PickledBatch batch;
  batch.label_key = "fine_labels";
  batch.labels = {98, 11};
  batch.more = text("coarse_labels") +
               "](K\x05K\x13"
               "e";
  folder.write("cifar-100-python/train", batch.bytes());
  folder.write("cifar-100-python/test", batch.bytes());
  const mixop::DatasetHandle data = open_cifar("cifar100", folder.text());
  std::string pixels(3072, '\0');
  std::int64_t label = 0;
  data.read(MIXOP_SPLIT_TEST, 0, 1, reinterpret_cast<std::uint8_t*>(pixels.data()), &label);
  CHECK(label == 98);
  CHECK(pixels == image(0));
}

TEST_CASE("coarse labels of CIFAR-100 are checked too", "[cifar][misuse]") {
  const TempFolder folder;
  SECTION("binary") {
    folder.write("cifar-100-binary/train.bin", byte(20) + byte(99) + image(5));
    check_refused(folder, "cifar100", "cifar-100-binary/train.bin: record 0 has coarse label 20, expected 0 to 19");
  }
  SECTION("pickled, out of range") {
    PickledBatch batch;
    batch.label_key = "fine_labels";
    batch.more = text("coarse_labels") +
                 "](K\x05K\x14"
                 "e";
    folder.write("cifar-100-python/train", batch.bytes());
    check_refused(folder, "cifar100",
                  "cifar-100-python/train: record 1 has label 20 in 'coarse_labels', expected 0 to 19");
  }
  SECTION("pickled, one too few") {
    PickledBatch batch;
    batch.label_key = "fine_labels";
    batch.more = text("coarse_labels") +
                 "]K\x05"
                 "a";
    folder.write("cifar-100-python/train", batch.bytes());
    check_refused(folder, "cifar100",
                  "cifar-100-python/train: 'data' has 2 records but 'coarse_labels' has 1; the file is damaged, "
                  "unpack it again");
  }
}

TEST_CASE("a damaged binary batch is refused with file and place", "[cifar][binary][misuse]") {
  const TempFolder folder;
  write_cifar10(folder);
  SECTION("not a whole number of records") {
    folder.write(batch_name(2), record(1, 1) + record(2, 2).substr(0, 100));
    check_refused(folder, "cifar10",
                  batch_name(2) +
                      ": expected whole records of 3073 bytes, found 3173 bytes: record 1 ends after 100; "
                      "unpack the file again");
  }
  SECTION("a label out of range") {
    folder.write(batch_name(3), record(1, 1) + record(10, 2));
    check_refused(folder, "cifar10", batch_name(3) + ": record 1 has label 10, expected 0 to 9");
  }
  SECTION("an empty file") {
    folder.write(batch_name(4), "");
    check_refused(folder, "cifar10", batch_name(4) + ": the file is empty; unpack the set again");
  }
  SECTION("a missing train batch") {
    std::filesystem::remove(folder.text() + "/" + batch_name(1));
    check_refused(folder, "cifar10", batch_name(1) + ": the file is missing; the set is incomplete, unpack it again");
  }
  SECTION("a missing test batch") {
    std::filesystem::remove(folder.text() + "/cifar-10-batches-bin/test_batch.bin");
    check_refused(folder, "cifar10",
                  "cifar-10-batches-bin/test_batch.bin: the file is missing; the set is incomplete, unpack it again");
  }
  SECTION("a folder in a batch's place") {
    std::filesystem::remove(folder.text() + "/" + batch_name(1));
    folder.write(batch_name(1) + "/x", "x");
    check_refused(folder, "cifar10", batch_name(1) + ": expected a file, found something else");
  }
  SECTION("a file of absurd size") {
    std::filesystem::resize_file(folder.text() + "/" + batch_name(1), (std::uintmax_t{1} << 31) + 1);
    check_refused(folder, "cifar10", batch_name(1) + ": the file has 2147483649 bytes, at most 2147483648 are read");
  }
}
