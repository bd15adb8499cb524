#include "tests/plugins/datasets/cifar/cifar_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

const std::vector<std::string> kBatches = {"data_batch_1", "data_batch_2", "data_batch_3",
                                           "data_batch_4", "data_batch_5", "test_batch"};

void write_binary(const TempFolder& folder, const std::string& below) {
  for (const std::string& name : kBatches) folder.write(below + name + ".bin", byte(3) + image(0) + byte(7) + image(1));
}

void write_pickled(const TempFolder& folder, const std::string& below) {
  for (const std::string& name : kBatches) folder.write(below + name, PickledBatch{}.bytes());
}

std::vector<std::string> files_below(const TempFolder& folder, const mixop::DatasetHandle& data) {
  std::vector<std::string> names;
  for (const std::string& file : data.info().files)
    names.push_back(std::filesystem::relative(file, folder.text()).string());
  return names;
}

std::string pickled_names(const std::vector<std::string>& names) {
  std::string bytes = "\x80\x02}(" + text("label_names") + "](";
  for (const std::string& name : names) bytes += text(name);
  return bytes + "eu.";
}

const std::vector<std::string> kNames = {"plane", "car",  "bird",  "cat",  "deer",
                                         "dog",   "frog", "horse", "ship", "truck"};

}  // namespace

TEST_CASE("both layouts give the same records", "[cifar][layout]") {
  const TempFolder binary, pickled;
  write_binary(binary, "cifar-10-batches-bin/");
  write_pickled(pickled, "cifar-10-batches-py/");
  std::string first(10 * 3072, '\0'), second(10 * 3072, '\1');
  std::vector<std::int64_t> first_labels(10), second_labels(10, -1);
  open_cifar("cifar10", binary.text())
      .read(MIXOP_SPLIT_TRAIN, 0, 10, reinterpret_cast<std::uint8_t*>(first.data()), first_labels.data());
  open_cifar("cifar10", pickled.text())
      .read(MIXOP_SPLIT_TRAIN, 0, 10, reinterpret_cast<std::uint8_t*>(second.data()), second_labels.data());
  CHECK(first == second);
  CHECK(first_labels == second_labels);
}

TEST_CASE("a layout is found in the folder itself and below it", "[cifar][layout]") {
  const std::string below = GENERATE("", "cifar-10-batches-bin/");
  const TempFolder folder;
  write_binary(folder, below);
  const mixop::DatasetHandle data = open_cifar("cifar10", folder.text());
  CHECK(files_below(folder, data) == std::vector<std::string>{below + "data_batch_1.bin", below + "data_batch_2.bin",
                                                              below + "data_batch_3.bin", below + "data_batch_4.bin",
                                                              below + "data_batch_5.bin", below + "test_batch.bin"});
}

TEST_CASE("class names come from the set's names file", "[cifar][layout]") {
  const TempFolder folder;
  SECTION("binary: a line each, and empty lines at the end") {
    write_binary(folder, "");
    std::string lines;
    for (const std::string& name : kNames) lines += name + "\r\n";
    folder.write("batches.meta.txt", lines + "\n");
    const mixop::DatasetHandle data = open_cifar("cifar10", folder.text());
    CHECK(data.info().class_names == kNames);
    CHECK(files_below(folder, data).back() == "batches.meta.txt");
  }
  SECTION("pickled: the list label_names") {
    write_pickled(folder, "");
    folder.write("batches.meta", pickled_names(kNames));
    CHECK(open_cifar("cifar10", folder.text()).info().class_names == kNames);
  }
  SECTION("numbers where there is no such file") {
    write_binary(folder, "");
    CHECK(open_cifar("cifar10", folder.text()).info().class_names[9] == "9");
  }
}

TEST_CASE("a names file that does not fit is refused", "[cifar][layout][misuse]") {
  const TempFolder folder;
  SECTION("a name too few") {
    write_binary(folder, "");
    const std::string path = folder.write("batches.meta.txt", "cat\ndog\n");
    CHECK(error_of([&] { open_cifar("cifar10", folder.text()); }).what() ==
          "data set 'cifar10': " + path + ": expected 10 class names, found 2");
  }
  SECTION("a name that would disturb a terminal") {
    write_pickled(folder, "");
    std::vector<std::string> names = kNames;
    names[4] = "de\x1b[2Jer";
    const std::string path = folder.write("batches.meta", pickled_names(names));
    const Error error = error_of([&] { open_cifar("cifar10", folder.text()); });
    CHECK(error.what() == "data set 'cifar10': " + path +
                              ": class name 4 must be 1 to 60 printable ASCII characters, found 'de?[2Jer'");
    CHECK(error.code() == ErrorCode::bad_data);
  }
}

TEST_CASE("a missing data folder says what is expected", "[cifar][layout][misuse]") {
  const TempFolder folder;
  const auto open = [](const std::string& component, const std::string& at) {
    return error_of([&] { open_cifar(component, at); });
  };
  const Error none = open("cifar10", "");
  CHECK(none.what() == std::string("data set 'cifar10': no data folder is given; pass --data DIR or set MIXOP_DATA to "
                                   "the folder that holds cifar-10-batches-bin or cifar-10-batches-py"));
  CHECK(none.code() == ErrorCode::usage);
  const Error absent = open("cifar10", folder.text() + "/absent");
  CHECK(absent.what() == "data set 'cifar10': " + folder.text() +
                             "/absent: the data folder does not exist or cannot be read; expected a folder that holds "
                             "cifar-10-batches-bin or cifar-10-batches-py");
  CHECK(absent.code() == ErrorCode::bad_data);
  const Error empty = open("cifar100", folder.text());
  CHECK(empty.what() == "data set 'cifar100': " + folder.text() +
                            ": no CIFAR-100 in this folder; expected cifar-100-binary/train.bin or "
                            "cifar-100-python/train; unpack the published archive here or name another folder");
  CHECK(empty.code() == ErrorCode::bad_data);
}
