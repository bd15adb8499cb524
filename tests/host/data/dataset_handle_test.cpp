#include "host/data/dataset_handle.hpp"

#include <cstddef>
#include <limits>

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

void check_contract(FakeDataset& fake, const std::string& how) {
  const Error error = error_of([&] { fake.handle(); });
  CHECK(error.what() == "data set 'fake' breaks its contract: " + how + "; its plugin must be fixed");
  CHECK(error.code() == ErrorCode::plugin);
}

}  // namespace

TEST_CASE("a data set is opened with folder, options and defaults, and closed once", "[data]") {
  FakeDataset fake;
  {
    const mixop::DatasetHandle data = fake.handle({{"colour", "blue"}});
    CHECK(data.name() == "fake");
    CHECK(data.options() == std::map<std::string, std::string>{{"colour", "blue"}, {"side", "4"}});
    CHECK(fake.seen_folder == "some/folder");
    CHECK(fake.seen_options == "colour=blue;side=4;");
    CHECK(data.info().class_names == std::vector<std::string>{"a", "b", "c"});
    CHECK(data.info().record_bytes() == 60);
    CHECK(data.info().horizontal_flip);
    CHECK(fake.closed == 0);
  }
  CHECK(fake.closed == 1);
}

TEST_CASE("records are read into the caller's buffers", "[data]") {
  FakeDataset fake;
  const mixop::DatasetHandle data = fake.handle();
  std::vector<std::uint8_t> pixels(2 * 60);
  std::int64_t targets[2];
  data.read(MIXOP_SPLIT_TEST, 3, 2, pixels.data(), targets);
  CHECK(pixels[60 + 7] == FakeDataset::pixel(MIXOP_SPLIT_TEST, 4, 7));
  CHECK(targets[0] == 0);
  CHECK(targets[1] == 1);
}

TEST_CASE("what the plugin reports names the data set", "[data][misuse]") {
  FakeDataset fake;
  const Error error = error_of([&] { mixop::DatasetHandle("fake", fake.table, "broken"); });
  CHECK(error.what() == std::string("data set 'fake': no such data"));
  CHECK(error.code() == ErrorCode::bad_data);
}

TEST_CASE("an option that the data set does not have is a usage error", "[data][misuse]") {
  FakeDataset fake;
  const Error error = error_of([&] { fake.handle({{"sides", "3"}}); });
  CHECK(error.what() == std::string("data set 'fake' has no option 'sides'; it has: colour, side"));
  CHECK(error.code() == ErrorCode::usage);
  fake.table.option_count = 0;
  CHECK(error_of([&] {
          fake.handle({{"sides", "3"}});
        }).what() == std::string("data set 'fake' has no option 'sides'; it has: none"));
}

TEST_CASE("an option's value is checked against its type", "[data][misuse]") {
  FakeDataset fake;
  const Error number = error_of([&] { fake.handle({{"side", "wide"}}); });
  CHECK(number.code() == ErrorCode::usage);
  CHECK(std::string(number.what()).find("data set 'fake': fake.side: expected a whole number") == 0);
  fake.options[1].type = MIXOP_OPTION_BOOL;
  fake.options[1].default_value = "true";
  const Error flag = error_of([&] { fake.handle({{"colour", "maybe"}}); });
  CHECK(std::string(flag.what()).find("fake.colour: expected true or false, found") != std::string::npos);
  CHECK_NOTHROW(fake.handle({{"colour", "false"}, {"side", "3"}}));
}

TEST_CASE("what a data set tells people is kept line by line, if it has told", "[data]") {
  FakeDataset fake;
  CHECK(fake.handle().info().notes.empty());
  fake.info.notes = "2 files are left out\nval is not read\n";
  CHECK(fake.handle().info().notes == std::vector<std::string>{"2 files are left out", "val is not read"});
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "line\n";
  fake.info.notes = many.c_str();
  CHECK(fake.handle().info().notes.size() == 100);
  fake.info.size = offsetof(MixopDatasetInfo, notes);
  CHECK(fake.handle().info().notes.empty());
}

TEST_CASE("records outside a split are a usage error", "[data][misuse]") {
  FakeDataset fake;
  const mixop::DatasetHandle data = fake.handle();
  std::vector<std::uint8_t> pixels(60 * 6);
  std::int64_t targets[6];
  const auto error = [&](int split, std::int64_t first, std::int64_t count) {
    return error_of([&] { data.read(split, first, count, pixels.data(), targets); });
  };
  const std::string where = "data set 'fake', split 'test': it has 5 records, asked for ";
  CHECK(error(MIXOP_SPLIT_TEST, 0, 6).what() == where + "6 from 0");
  CHECK(error(MIXOP_SPLIT_TEST, -1, 1).what() == where + "1 from -1");
  CHECK(error(MIXOP_SPLIT_TEST, 6, 0).what() == where + "0 from 6");
  CHECK(error(MIXOP_SPLIT_TEST, 0, -1).code() == ErrorCode::usage);
  CHECK(error(3, 0, 1).what() == std::string("split 3 does not exist; expected 0 (train) to 2 (test)"));
}

TEST_CASE("a plugin whose table lacks something is refused", "[data][misuse]") {
  FakeDataset fake;
  SECTION("short") {
    fake.table.size = 16;
    check_contract(fake, "its table has 16 bytes, expected at least " + std::to_string(offsetof(MixopDataset, decode)));
  }
  SECTION("no read") {
    fake.table.read = nullptr;
    check_contract(fake, "its table lacks a function (open, close, info and read are required)");
  }
  SECTION("no options") {
    fake.table.options = nullptr;
    check_contract(fake, "its table lists no options");
  }
  SECTION("no instance") {
    fake.without_instance = true;
    check_contract(fake, "open succeeded without an instance");
  }
}

TEST_CASE("what a plugin says about its data is validated", "[data][misuse]") {
  FakeDataset fake;
  MixopDatasetInfo& info = fake.info;
  std::string how;
  SECTION("size") {
    info.size = 8;
    how = "the size of its info must be " + std::to_string(offsetof(MixopDatasetInfo, images_vary)) + " to " +
          std::to_string(sizeof info) + ", found 8";
  }
  SECTION("kind") { info.kind = 2, how = "kind must be 0 to 1, found 2"; }
  SECTION("records") {
    info.records[MIXOP_SPLIT_VALID] = -1;
    how = "records of split 'valid' must be 0 to 1099511627776, found -1";
  }
  SECTION("no classes") { info.classes = 0, how = "classes must be 1 to 16777216, found 0"; }
  SECTION("absurd classes") {
    info.classes = std::int64_t{1} << 40;
    how = "classes must be 1 to 16777216, found 1099511627776";
  }
  SECTION("no class names") { info.class_names = nullptr, how = "class_names holds no text at 0 of 3"; }
  SECTION("a class name missing") { fake.names[2] = nullptr, how = "class_names holds no text at 2 of 3"; }
  SECTION("files") { info.file_count = 1, how = "files holds no text at 0 of 1"; }
  SECTION("absurd files") { info.file_count = 1u << 30, how = "file_count must be 0 to 1048576, found 1073741824"; }
  SECTION("channels") { info.channels = 5, how = "channels must be 1 to 4, found 5"; }
  SECTION("height") { info.height = 0, how = "height must be 1 to 16384, found 0"; }
  SECTION("width") { info.width = 16385, how = "width must be 1 to 16384, found 16385"; }
  SECTION("padding") { info.crop_padding = 6, how = "crop_padding must be 0 to 5, found 6"; }
  SECTION("flip") { info.horizontal_flip = 2, how = "horizontal_flip must be 0 to 1, found 2"; }
  SECTION("mean") {
    info.mean[1] = std::numeric_limits<float>::quiet_NaN();
    how = "mean and deviation of channel 1 must be finite, the deviation above 0";
  }
  SECTION("deviation") {
    info.deviation[0] = 0.0f;
    how = "mean and deviation of channel 0 must be finite, the deviation above 0";
  }
  SECTION("many sizes or one") { info.images_vary = 2, how = "images_vary must be 0 to 1, found 2"; }
  SECTION("no decode") {
    fake.have_many_sizes();
    if (GENERATE(true, false))
      fake.table.decode = nullptr;
    else
      fake.table.size = offsetof(MixopDataset, decode);
    how = "its images have many sizes and its table lacks decode";
  }
  check_contract(fake, how);
  CHECK(fake.closed == 1);
}

TEST_CASE("what a plugin says about images of many sizes is validated", "[data][misuse]") {
  FakeDataset fake;
  fake.have_many_sizes();
  MixopDatasetInfo& info = fake.info;
  std::string how;
  SECTION("channels") { info.channels = 1, how = "channels must be 3 where images have many sizes"; }
  SECTION("padding") { info.crop_padding = 1, how = "crop_padding must be 0 where images have many sizes"; }
  SECTION("skip") { info.skip_corrupt = 2, how = "skip_corrupt must be 0 to 1, found 2"; }
  SECTION("a crop that does not fit") { info.resize = 3, how = "resize must be 4 to 16384, found 3"; }
  SECTION("area") {
    info.crop_area[GENERATE(0, 1)] = GENERATE(0.0, 1.5, std::numeric_limits<double>::quiet_NaN());
    how = "crop_area must be two shares of the image, the lower one first, where images have many sizes";
  }
  SECTION("ratio") {
    info.crop_ratio[GENERATE(0, 1)] = GENERATE(0.0, 1e-5, 1e308, std::numeric_limits<double>::infinity());
    how = "crop_ratio must be two ratios from 1/1000 to 1000, the lower one first, where images have many sizes";
  }
  SECTION("jitter") {
    info.jitter[GENERATE(0, 1, 2, 3)] = -0.1;
    how = "jitter must be 0 or more where images have many sizes";
  }
  SECTION("hue") {
    info.jitter[3] = 0.6;
    how = "the jitter of the hue must be at most 0.5 where images have many sizes";
  }
  check_contract(fake, how);
}

TEST_CASE("a plugin of ABI 1.0 works as it did", "[data]") {
  FakeDataset fake;
  fake.table.size = offsetof(MixopDataset, decode);
  fake.table.decode = reinterpret_cast<decltype(fake.table.decode)>(1);  // beyond what size covers
  fake.info.size = offsetof(MixopDatasetInfo, images_vary);
  fake.info.images_vary = 7;
  fake.info.listing = "beyond, too";
  const mixop::DatasetHandle data = fake.handle();
  CHECK_FALSE(data.info().many_sizes);
  CHECK(data.listing().empty());
  std::vector<std::uint8_t> pixels(60);
  std::int64_t target = -1;
  data.read(MIXOP_SPLIT_TRAIN, 4, 1, pixels.data(), &target);
  CHECK(target == 1);
}

TEST_CASE("images of many sizes are decoded one by one", "[data]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.info.jitter[2] = 0.25;
  fake.info.skip_corrupt = 1;
  const mixop::DatasetHandle data = fake.handle();
  REQUIRE(data.info().many_sizes);
  CHECK(data.info().many_sizes->resize == 5);
  CHECK(data.info().many_sizes->crop.area == std::array<double, 2>{0.5, 1.0});
  CHECK(data.info().many_sizes->crop.ratio == std::array<double, 2>{0.75, 1.25});
  CHECK(data.info().many_sizes->jitter.saturation == 0.25);
  CHECK(data.info().many_sizes->skip_corrupt);
  int calls = 0;
  data.decode(MIXOP_SPLIT_TRAIN, 3, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
    ++calls;
    CHECK(height == 5);
    CHECK(width == 9);
    CHECK(pixels[3 * 44 + 1] == 60);
  });
  CHECK(calls == 1);
  std::int64_t targets[2] = {-1, -1};
  std::vector<std::uint8_t> untouched(96, 7);
  data.read(MIXOP_SPLIT_TRAIN, 4, 2, untouched.data(), targets);
  CHECK(targets[1] == 2);
  CHECK(untouched == std::vector<std::uint8_t>(96, 7));
}

TEST_CASE("an image that cannot be decoded names split and file", "[data][misuse]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.corrupt = {3};
  const mixop::DatasetHandle data = fake.handle();
  const auto sink = [](std::int32_t, std::int32_t, const std::uint8_t*) {};
  const auto error = [&](std::int64_t record) {
    return error_of([&] { data.decode(MIXOP_SPLIT_TRAIN, record, sink); });
  };
  CHECK(error(3).what() == std::string("data set 'fake', split 'train': file 3: no image"));
  CHECK(error(3).code() == ErrorCode::bad_data);
  CHECK(error(12).what() == std::string("data set 'fake', split 'train': it has 12 records, asked for 1 from 12"));
  fake.images_a_call = GENERATE(0, 2);
  CHECK(error(1).what() ==
        "data set 'fake' breaks its contract: decode must give one image; record 1 of split 'train' came " +
            std::to_string(fake.images_a_call) + " times; its plugin must be fixed");
  CHECK(error(1).code() == ErrorCode::plugin);
  fake.images_a_call = 1;
  CHECK_THROWS_WITH(data.decode(MIXOP_SPLIT_TRAIN, 1,
                                [](std::int32_t, std::int32_t, const std::uint8_t*) {
                                  throw Error(ErrorCode::failed, "the sink's own");
                                }),
                    "the sink's own");
}

TEST_CASE("a decoded image of absurd sides is the plugin's error", "[data][misuse]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.told_width = GENERATE(-1, 65537);
  const mixop::DatasetHandle data = fake.handle();
  int calls = 0;
  const Error error = error_of(
      [&] { data.decode(MIXOP_SPLIT_TRAIN, 1, [&](std::int32_t, std::int32_t, const std::uint8_t*) { ++calls; }); });
  CHECK(error.what() ==
        "data set 'fake' breaks its contract: decode must give pixels, 1 to 65536 a side; record 1 of split 'train' "
        "has 3 x " +
            std::to_string(fake.told_width) + "; its plugin must be fixed");
  CHECK(error.code() == ErrorCode::plugin);
  CHECK(calls == 0);
}

TEST_CASE("images of one size are not decoded", "[data][misuse]") {
  FakeDataset fake;
  const mixop::DatasetHandle data = fake.handle();
  const Error error = error_of([&] { data.decode(MIXOP_SPLIT_TEST, 0, {}); });
  CHECK(error.what() == std::string("data set 'fake', split 'test': its images have one size; they are read, not "
                                    "decoded"));
  CHECK(error.code() == ErrorCode::usage);
}

TEST_CASE("a label outside the classes is bad data of a record", "[data][misuse]") {
  FakeDataset fake;
  fake.target_shift = GENERATE(1, -1);
  const mixop::DatasetHandle data = fake.handle();
  std::vector<std::uint8_t> pixels(60 * 5);
  std::int64_t targets[5];
  const Error error = error_of([&] { data.read(MIXOP_SPLIT_TRAIN, 1, 5, pixels.data(), targets); });
  const std::string which = fake.target_shift == 1 ? "record 2 has label 3" : "record 3 has label -1";
  CHECK(error.what() == "data set 'fake', split 'train': " + which +
                            ", expected 0 to 2; its file is damaged, or is of another data set");
  CHECK(error.code() == ErrorCode::bad_data);
}
