#include <algorithm>

#include "host/data/digest.hpp"
#include "tests/plugins/datasets/imagenet/jpeg_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

/// Three classes; `cat` has four train images, the others two.
void write_set(const TempFolder& folder, const std::string& below = "") {
  for (const char* name :
       {"dog/1.JPEG", "dog/2.jpg", "cat/b.jpeg", "cat/a.JPEG", "cat/d.JPG", "cat/c.Jpeg", "owl/1.JPEG", "owl/2.JPEG"})
    folder.write(below + "train/" + name, grey_jpeg());
  for (const char* name : {"dog/7.JPEG", "cat/8.JPEG", "owl/9.JPEG"}) folder.write(below + "val/" + name, grey_jpeg());
}

std::vector<std::int64_t> targets(const mixop::DatasetHandle& data, int split) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.info().records[static_cast<std::size_t>(split)]));
  data.read(split, 0, static_cast<std::int64_t>(all.size()), nullptr, all.data());
  return all;
}

Error refusal(const TempFolder& folder, const std::map<std::string, std::string>& options = {}) {
  return error_of([&] { open_imagenet(folder.text(), options); });
}

}  // namespace

TEST_CASE("the set is found in the folder itself and below imagenet", "[imagenet][folders]") {
  const TempFolder folder;
  write_set(folder, GENERATE("", "imagenet/"));
  const mixop::DatasetHandle data = open_imagenet(folder.text());
  CHECK(data.info().records == std::array<std::int64_t, 3>{8, 0, 3});
  CHECK(data.info().class_names == std::vector<std::string>{"cat", "dog", "owl"});
  REQUIRE(data.info().many_sizes);
  CHECK(data.info().height == 224);
  CHECK(data.info().many_sizes->resize == 256);
  CHECK(data.info().many_sizes->jitter.hue == 0.2);
  CHECK_FALSE(data.info().many_sizes->skip_corrupt);
  CHECK(targets(data, MIXOP_SPLIT_TEST) == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("the resized side follows the size unless it is given", "[imagenet][folders]") {
  const TempFolder folder;
  write_set(folder);
  CHECK(open_imagenet(folder.text(), {{"size", "64"}}).info().many_sizes->resize == 73);
  CHECK(open_imagenet(folder.text(), {{"size", "64"}, {"resize", "80"}}).info().many_sizes->resize == 80);
}

TEST_CASE("classes are spread evenly over a split, so that a part of it has all of them", "[imagenet][folders]") {
  const TempFolder folder;
  write_set(folder);
  // Of four cats the images lie at 1/8, 3/8, 5/8 and 7/8 of the split, of two dogs and owls at 1/4 and 3/4.
  CHECK(targets(open_imagenet(folder.text()), MIXOP_SPLIT_TRAIN) == std::vector<std::int64_t>{0, 1, 2, 0, 0, 1, 2, 0});
}

TEST_CASE("a split alone is a set", "[imagenet][folders]") {
  const TempFolder folder;
  folder.write("val/cat/1.JPEG", grey_jpeg());
  CHECK(open_imagenet(folder.text()).info().records == std::array<std::int64_t, 3>{0, 0, 1});
}

TEST_CASE("hidden and other files are left out", "[imagenet][folders]") {
  const TempFolder folder;
  write_set(folder);
  for (const char* name :
       {"train/cat/._a.JPEG", "train/.cache/x.JPEG", "train/cat/notes.txt", "train/README", "classes"})
    folder.write(name, "x");
  CHECK(open_imagenet(folder.text()).info().records == std::array<std::int64_t, 3>{8, 0, 3});
}

TEST_CASE("a file may give the order of the classes", "[imagenet][folders]") {
  const TempFolder folder;
  write_set(folder);
  folder.write("order.txt", "owl\r\ncat\ndog\n\n");
  const mixop::DatasetHandle data = open_imagenet(folder.text(), {{"classes", "order.txt"}});
  CHECK(data.info().class_names == std::vector<std::string>{"owl", "cat", "dog"});
  CHECK(targets(data, MIXOP_SPLIT_TEST) == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("the digest covers names, sizes and the order of classes, not the place or the bytes",
          "[imagenet][folders]") {
  const TempFolder one, two;
  write_set(one);
  write_set(two, "imagenet/");
  const std::string digest = mixop::dataset_digest(open_imagenet(one.text()));
  CHECK(mixop::dataset_digest(open_imagenet(two.text())) == digest);
  const mixop::DatasetHandle data = open_imagenet(two.text());
  CHECK(std::string(data.listing()).rfind("cat\ndog\nowl\n159  train/cat/a.JPEG\n159  train/cat/b.jpeg\n", 0) == 0);
  two.write("imagenet/val/owl/9.JPEG", grey_jpeg() + "x");
  CHECK(mixop::dataset_digest(open_imagenet(two.text())) != digest);
  one.write("order.txt", "owl\ncat\ndog\n");
  CHECK(mixop::dataset_digest(open_imagenet(one.text(), {{"classes", "order.txt"}})) != digest);
}

TEST_CASE("folders that are not the classes are refused by name", "[imagenet][folders][misuse]") {
  const TempFolder folder;
  write_set(folder);
  const std::string train = folder.text() + "/train", val = folder.text() + "/val", where = "data set 'imagenet': ";
  SECTION("missing in val") {
    std::filesystem::remove_all(val + "/dog");
    CHECK(refusal(folder).code() == ErrorCode::bad_data);
    CHECK(refusal(folder).what() ==
          where + val + ": classes of " + train + " have no folder here: dog; the set is incomplete, unpack it again");
  }
  SECTION("too many in val") {
    folder.write("val/emu/1.JPEG", grey_jpeg());
    CHECK(refusal(folder).what() == where + val + ": folders are no classes of " + train + ": emu; remove them");
  }
  SECTION("missing and too many for a list") {
    const std::string list = folder.write("order.txt", "cat\ndog\nowl\na\nb\nc\nd\ne\nf\n");
    CHECK(refusal(folder, {{"classes", "order.txt"}}).what() ==
          where + train + ": classes of " + list +
              " have no folder here: a, b, c, d, e, ... (6 in all); the set is incomplete, unpack it again");
    folder.write("order.txt", "cat\nowl\n");
    CHECK(refusal(folder, {{"classes", list}}).what() ==
          where + train + ": folders are no classes of " + list + ": dog; remove them");
  }
  SECTION("a class without images") {
    std::filesystem::remove(val + "/owl/9.JPEG");
    CHECK(refusal(folder).what() ==
          where + val + "/owl/: the class folder holds no image; expected *.JPEG, *.jpeg or *.jpg");
  }
  SECTION("images without class folders") {
    std::filesystem::remove_all(val);
    folder.write("val/ILSVRC2012_val_00000001.JPEG", grey_jpeg());
    CHECK(refusal(folder).what() == where + val +
                                        ": its images lie in no class folders; move each into a folder named after its "
                                        "class");
  }
  SECTION("nothing in train") {
    std::filesystem::remove_all(train);
    std::filesystem::create_directory(train);
    CHECK(refusal(folder).what() == where + train + ": the folder holds no class folders; expected CLASS/*.JPEG");
  }
  SECTION("a name that would disturb a terminal") {
    std::filesystem::rename(train + "/owl", train + "/o\x1bwl");
    CHECK(refusal(folder).what() ==
          where + train +
              ": class 2 in their order has a name that cannot be shown; expected 1 to 200 bytes of UTF-8 without "
              "control characters and '/', so rename it");
  }
}

TEST_CASE("a list of classes that is none is refused", "[imagenet][folders][misuse]") {
  const TempFolder folder;
  write_set(folder);
  const std::string list = folder.write("order.txt", "cat\ndog\ncat\n"), where = "data set 'imagenet': " + list + ": ";
  const std::map<std::string, std::string> options = {{"classes", "order.txt"}};
  CHECK(refusal(folder, options).what() == where + "class 'cat' is listed twice; remove one");
  folder.write("order.txt", "\n\n");
  CHECK(refusal(folder, options).what() == where + "the file names no classes; expected one a line");
  folder.write("order.txt", "");
  CHECK(refusal(folder, options).what() == where + "the file is empty");
  std::filesystem::remove(list);
  CHECK(refusal(folder, options).what() == where + "there is no such file, which is named as that of the classes");
}

TEST_CASE("a missing ImageNet says what is expected", "[imagenet][folders][misuse]") {
  const TempFolder folder;
  const Error none = error_of([] { open_imagenet(""); });
  CHECK(
      none.what() ==
      std::string("data set 'imagenet': no data folder is given; pass --data DIR or set MIXOP_DATA to the folder that "
                  "holds train/CLASS/*.JPEG and val/CLASS/*.JPEG, or that holds imagenet with them"));
  CHECK(none.code() == ErrorCode::usage);
  const Error absent = error_of([&] { open_imagenet(folder.text() + "/absent"); });
  CHECK(absent.what() == "data set 'imagenet': " + folder.text() +
                             "/absent: the data folder does not exist or cannot be read; expected a folder that holds "
                             "train and val");
  CHECK(absent.code() == ErrorCode::bad_data);
  CHECK(refusal(folder).what() ==
        "data set 'imagenet': " + folder.text() +
            ": no ImageNet in this folder; expected train/CLASS/*.JPEG and val/CLASS/*.JPEG in it or in its folder "
            "imagenet; unpack the published archives so or name another folder");
}

TEST_CASE("options of ImageNet out of range are usage errors", "[imagenet][folders][misuse]") {
  const auto [option, value, problem] = GENERATE(table<std::string, std::string, std::string>({
      {"size", "7", "'size' must be a side of 8 to 4096 pixels, or HEIGHTxWIDTH such as 20x31, found '7'"},
      {"size", "4097", "'size' must be a side of 8 to 4096 pixels, or HEIGHTxWIDTH such as 20x31, found '4097'"},
      {"resize", "223", "'resize' must be 224 to 4096, found 223"},
      {"resize", "-1", "'resize' must be 224 to 4096, found -1"},
      {"on_corrupt", "ignore", "'on_corrupt' must be fail or skip, found 'ignore'"},
  }));
  const std::map<std::string, std::string> options = {{option, value}};
  const Error error = error_of([&] { open_imagenet("", options); });
  CHECK(error.what() == "data set 'imagenet': option " + problem);
  CHECK(error.code() == ErrorCode::usage);
}
