#include <sys/stat.h>

#include "host/data/digest.hpp"
#include "tests/plugins/datasets/imagenet/jpeg_files.hpp"
#include "tests/plugins/datasets/imagenet/png_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

void write_classes(const TempFolder& folder, const std::string& above) {
  for (const char* name : {"dog/1.jpg", "dog/2.PNG", "cat/1.jpeg", "owl/x.png"})
    folder.write(above + name, std::string(name).find("j") != std::string::npos ? grey_jpeg() : PngParts{}.file());
}

Error refusal(const TempFolder& folder, const std::map<std::string, std::string>& options = {}) {
  return error_of([&] { open_own(folder.text(), options); });
}

using Counts = std::array<std::int64_t, 3>;

}  // namespace

TEST_CASE("class folders alone are all train split", "[image_folder]") {
  const TempFolder folder;
  write_classes(folder, "");
  folder.write("notes.txt", "x");
  folder.write(".thumbnails/1.jpg", "x");
  const mixop::DatasetHandle data = open_own(folder.text());
  CHECK(data.info().records == Counts{4, 0, 0});
  CHECK(data.info().class_names == std::vector<std::string>{"cat", "dog", "owl"});
  CHECK(std::string(data.listing()).rfind("cat\ndog\nowl\n159  cat/1.jpeg\n159  dog/1.jpg\n", 0) == 0);
}

TEST_CASE("the test split is test, else val, else valid, or the one that is named", "[image_folder]") {
  const TempFolder folder;
  write_classes(folder, "train/");
  CHECK(open_own(folder.text()).info().records == Counts{4, 0, 0});
  write_classes(folder, "valid/");
  CHECK(open_own(folder.text()).info().records == Counts{4, 0, 4});
  write_classes(folder, "val/");
  folder.write("val/cat/2.jpg", grey_jpeg());
  CHECK(open_own(folder.text()).info().records == Counts{4, 0, 5});
  write_classes(folder, "test/");
  CHECK(open_own(folder.text()).info().records == Counts{4, 0, 4});
  CHECK(open_own(folder.text(), {{"test", "val"}}).info().records == Counts{4, 0, 5});
}

TEST_CASE("what networks see and training changes are options", "[image_folder]") {
  const TempFolder folder;
  write_classes(folder, "");
  const mixop::DatasetInfo usual = open_own(folder.text()).info();
  CHECK(usual.height == 224);
  CHECK(usual.horizontal_flip);
  CHECK(usual.many_sizes->resize == 256);
  CHECK(usual.many_sizes->crop.area == std::array<double, 2>{0.08, 1});
  CHECK(usual.many_sizes->jitter.hue == 0.2);
  const mixop::DatasetInfo own =
      open_own(folder.text(),
               {{"size", "32"}, {"resize", "32"}, {"crop_area", "0.5"}, {"flip", "false"}, {"jitter", "0"}})
          .info();
  CHECK(own.width == 32);
  CHECK_FALSE(own.horizontal_flip);
  CHECK(own.many_sizes->resize == 32);
  CHECK(own.many_sizes->crop.area == std::array<double, 2>{0.5, 1});
  CHECK(own.many_sizes->jitter.brightness == 0);
}

TEST_CASE("networks may see images of any height and width", "[image_folder]") {
  const TempFolder folder;
  write_classes(folder, "");
  const mixop::DatasetInfo wide = open_own(folder.text(), {{"size", "20x31"}}).info();
  CHECK((wide.height == 20 && wide.width == 31));
  CHECK(wide.many_sizes->resize == 22);
  CHECK(wide.many_sizes->crop.ratio == std::array<double, 2>{31.0 / 20 * 3 / 4, 31.0 / 20 * 4 / 3});
  const mixop::DatasetInfo tall = open_own(folder.text(), {{"size", "4096x8"}, {"resize", "8"}}).info();
  CHECK((tall.height == 4096 && tall.width == 8 && tall.many_sizes->resize == 8));
}

TEST_CASE("a size that is none is refused with what it may be", "[image_folder][misuse]") {
  const TempFolder folder;
  write_classes(folder, "");
  for (const std::string size : {"", "7", "4097", "20x", "x31", "20x7", "20x31x3", "20 x 31", "20X31", "+20", "2e1", "wide"})
    CHECK(refusal(folder, {{"size", size}}).what() ==
          "data set 'image_folder': option 'size' must be a side of 8 to 4096 pixels, or HEIGHTxWIDTH such as 20x31, found '" + size + "'");
  CHECK(refusal(folder, {{"size", "20x31"}, {"resize", "19"}}).what() ==
        std::string("data set 'image_folder': option 'resize' must be 20 to 4096, found 19"));
}

TEST_CASE("the order of the classes may be given for class folders alone", "[image_folder]") {
  const TempFolder folder;
  write_classes(folder, "");
  folder.write("order.txt", "owl\ndog\ncat\n");
  CHECK(open_own(folder.text(), {{"classes", "order.txt"}}).info().class_names ==
        std::vector<std::string>{"owl", "dog", "cat"});
}

TEST_CASE("images of every name of their format and of folders within a class are read", "[image_folder]") {
  const TempFolder folder;
  folder.write("cat/1.jfif", grey_jpeg());
  folder.write("cat/2.JPE", grey_jpeg());
  folder.write("cat/day/1.jpg", grey_jpeg());
  folder.write("cat/day/noon/1.png", PngParts{}.file());
  folder.write("dog/images/1.JPEG", grey_jpeg());
  folder.write("dog/3.ppm", "P6 1 1 255\nabc");
  folder.write("dog/4.pgm", "P2 2 1 7\n0 7");
  folder.write("dog/5", grey_jpeg());
  const mixop::DatasetHandle data = open_own(folder.text());
  CHECK(data.info().records == Counts{8, 0, 0});
  CHECK(data.info().notes.empty());
  for (int i = 0; i < 8; ++i) {
    int calls = 0;
    data.decode(MIXOP_SPLIT_TRAIN, i, [&](std::int32_t, std::int32_t, const std::uint8_t*) { ++calls; });
    CHECK(calls == 1);
  }
}

TEST_CASE("what lies beside images is counted aloud", "[image_folder]") {
  const TempFolder folder;
  write_classes(folder, "");
  CHECK(open_own(folder.text()).info().notes.empty());
  folder.write("stray.jpg", grey_jpeg());
  folder.write("dog/dog_boxes.txt", "x");
  folder.write("dog/more/b.txt", "x");
  folder.write("cat/README", "x");
  REQUIRE(::mkfifo((folder.text() + "/dog/pipe").c_str(), 0600) == 0);  // who opened it would wait
  REQUIRE(::mkfifo((folder.text() + "/dog/pipe.jpg").c_str(), 0600) == 0);
  std::filesystem::create_directory_symlink(folder.text() + "/cat", folder.text() + "/owl/again");
  CHECK(open_own(folder.text()).info().notes ==
        std::vector<std::string>{"left out: 5 files that are no images (2 without an ending, 1 .jpg, 2 .txt)",
                                 "left out: 1 images that lie in no class folder",
                                 "left out: 1 links to folders within class folders"});
}

TEST_CASE("a folder of a split that is not taken is told", "[image_folder]") {
  const TempFolder folder;
  for (const char* split : {"train/", "val/", "test/"}) write_classes(folder, split);
  const std::string end = "': image_folder.test names another, and data.train_portion holds train records out";
  CHECK(open_own(folder.text()).info().notes ==
        std::vector<std::string>{folder.text() + "/val is not read, for the test split is 'test" + end});
}

TEST_CASE("splits are found in any case and under the usual names", "[image_folder]") {
  const std::pair<const char*, const char*> kNames[] = {{"Train/", "Test/"}, {"training/", "testing/"}, {"train/", "VALIDATION/"}};
  for (const auto& [train, test] : kNames) {
    INFO(train);
    const TempFolder folder;
    for (const char* split : {train, test}) write_classes(folder, split);
    const mixop::DatasetHandle data = open_own(folder.text());
    CHECK(data.info().records == Counts{4, 0, 4});
    CHECK(data.info().classes == 3);
    CHECK(data.info().notes.empty());
  }
}

TEST_CASE("class folders that look like splits are told", "[image_folder]") {
  const TempFolder folder;
  for (const char* above : {"mine/", "yours/"}) write_classes(folder, above);
  CHECK(open_own(folder.text()).info().notes ==
        std::vector<std::string>{"its class folders hold no images of their own, but folders of the same names (cat, dog, "
                                 "owl): if these are the classes, name the folders above them train and test"});
  folder.write("mine/1.jpg", grey_jpeg());
  CHECK(open_own(folder.text()).info().notes.empty());
}

TEST_CASE("folders within a class are bounded in depth", "[image_folder][misuse]") {
  const TempFolder folder;
  std::string deep = "cat/";
  for (int i = 0; i < 18; ++i) deep += "a/";
  folder.write(deep + "1.jpg", grey_jpeg());
  CHECK(std::string(refusal(folder).what()).find("folders lie within each other more than 16 deep") !=
        std::string::npos);
}

TEST_CASE("folders of images that are no set are refused by name", "[image_folder][misuse]") {
  const TempFolder folder;
  write_classes(folder, "train/");
  const std::string where = "data set 'image_folder': " + folder.text();
  SECTION("a format that is not read") {
    const std::string name = GENERATE("1.HEIC", "a.webp", "b.gif", "c.tiff");
    folder.write("train/owl/" + name, "x");
    CHECK(refusal(folder).what() ==
          where + "/train/owl/" + name +
              ": images of this format are not read; convert it to JPEG or PNG, or move it away");
  }
  SECTION("a class that the test split lacks") {
    folder.write("test/cat/1.jpg", grey_jpeg());
    CHECK(refusal(folder).what() ==
          where + "/test: classes of " + folder.text() +
              "/train have no folder here: dog, owl; put images of every class into every split");
  }
  SECTION("an empty class") {
    folder.write("train/ant/readme.txt", "x");
    CHECK(refusal(folder).what() ==
          where + "/train/ant/: the class folder holds no image; expected *.jpg, *.jpeg, *.jpe, *.jfif, *.png, *.ppm or *.pgm");
  }
  SECTION("images without class folders") {
    std::filesystem::remove_all(folder.text() + "/train");
    folder.write("1.jpg", grey_jpeg());
    CHECK(refusal(folder).what() ==
          where + ": its images lie in no class folders; move each into a folder named after its class");
  }
  SECTION("nothing") {
    std::filesystem::remove_all(folder.text() + "/train");
    CHECK(refusal(folder).what() == where + ": the folder holds no class folders; expected CLASS/*.jpg or CLASS/*.png");
  }
  SECTION("a test split that is named and not there") {
    CHECK(refusal(folder, {{"test", "val"}}).what() ==
          where + ": it holds no folder 'val', which is named as that of the test split");
  }
}

TEST_CASE("a missing folder of images says what is expected", "[image_folder][misuse]") {
  const Error none = error_of([] { open_own(""); });
  CHECK(none.what() ==
        std::string("data set 'image_folder': no data folder is given; pass --data DIR or set MIXOP_DATA to the folder "
                    "that holds train/CLASS/*.jpg and test/CLASS/*.jpg, or CLASS/*.jpg (also *.jpeg, *.png)"));
  CHECK(none.code() == ErrorCode::usage);
  CHECK(error_of([] { open_own("/nowhere"); }).what() ==
        std::string("data set 'image_folder': /nowhere: the data folder does not exist or cannot be read; expected a "
                    "folder that holds folders named after classes, or train and test with these"));
}

TEST_CASE("options of a folder of images out of range are usage errors", "[image_folder][misuse]") {
  const auto [option, value, problem] = GENERATE(table<std::string, std::string, std::string>({
      {"size", "7", "'size' must be a side of 8 to 4096 pixels, or HEIGHTxWIDTH such as 20x31, found '7'"},
      {"resize", "223", "'resize' must be 224 to 4096, found 223"},
      {"on_corrupt", "ignore", "'on_corrupt' must be fail or skip, found 'ignore'"},
      {"test", "train", "'test' must be test, val, valid or empty, found 'train'"},
      {"crop_area", "0", "'crop_area' must be 0.01 to 1, found 0"},
      {"crop_area", "1.5", "'crop_area' must be 0.01 to 1, found 1.5"},
      {"jitter", "-0.5", "'jitter' must be 0 to 2, found -0.5"},
  }));
  const std::map<std::string, std::string> options = {{option, value}};
  const Error error = error_of([&] { open_own("", options); });
  CHECK(error.what() == "data set 'image_folder': option " + problem);
  CHECK(error.code() == ErrorCode::usage);
}
