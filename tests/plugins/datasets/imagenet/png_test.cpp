#include <vector>

#include "tests/plugins/datasets/imagenet/jpeg_files.hpp"
#include "tests/plugins/datasets/imagenet/png_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

struct OneImage {
  explicit OneImage(const std::string& bytes) : path(folder.write("cat/1.png", bytes)), data(open_own(folder.text())) {}
  std::vector<int> pixels() const {
    std::vector<int> values;
    data.decode(MIXOP_SPLIT_TRAIN, 0, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
      values = {height, width};
      values.insert(values.end(), pixels, pixels + height * width * 3);
    });
    return values;
  }

  TempFolder folder;
  std::string path;
  mixop::DatasetHandle data;
};

std::vector<int> decoded(const PngParts& png) { return OneImage(png.file()).pixels(); }

void check_refused(const std::string& bytes, const std::string& problem) {
  const OneImage one(bytes);
  const Error error = error_of([&] { one.pixels(); });
  CHECK(error.what() == "data set 'image_folder', split 'train': " + one.path + ": " + problem +
                            "; replace the file, or set image_folder.on_corrupt=skip");
  CHECK(error.code() == ErrorCode::bad_data);
}

const std::vector<int> kPlain = {2, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

}  // namespace

TEST_CASE("an RGB PNG is read as it is", "[image_folder][png]") { CHECK(decoded({}) == kPlain); }

TEST_CASE("a filtered row adds to the one above", "[image_folder][png]") {
  PngParts png;
  png.rows[7] = 2;  // Up
  CHECK(decoded(png) == std::vector<int>{2, 2, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18});
}

TEST_CASE("every kind of PNG becomes RGB of 8 bits", "[image_folder][png]") {
  PngParts png;
  png.height = 1;
  SECTION("grey of 1 bit") {
    png.depth = 1, png.colour = 0, png.rows = std::string("\0\x40", 2);
    CHECK(decoded(png) == std::vector<int>{1, 2, 0, 0, 0, 255, 255, 255});
  }
  SECTION("grey of 4 bits") {
    png.depth = 4, png.colour = 0, png.rows = std::string("\0\x3f", 2);
    CHECK(decoded(png) == std::vector<int>{1, 2, 51, 51, 51, 255, 255, 255});
  }
  SECTION("grey of 16 bits") {
    png.depth = 16, png.colour = 0, png.rows = std::string("\0\x12\xff\xfe\x01", 5);
    CHECK(decoded(png) == std::vector<int>{1, 2, 0x12, 0x12, 0x12, 0xfe, 0xfe, 0xfe});
  }
  SECTION("grey with transparency") {
    png.depth = 8, png.colour = 4, png.rows = std::string("\0\x09\x00\x64\x80", 5);
    CHECK(decoded(png) == std::vector<int>{1, 2, 9, 9, 9, 100, 100, 100});
  }
  SECTION("RGB with transparency, of 16 bits") {
    png.width = 1, png.depth = 16, png.colour = 6, png.rows = std::string("\0\x01\xff\x02\xff\x03\xff\0\0", 9);
    CHECK(decoded(png) == std::vector<int>{1, 1, 1, 2, 3});
  }
  SECTION("a palette of 2 bits with transparency") {
    png.depth = 2, png.colour = 3, png.rows = std::string("\0\x80", 2);
    png.before = png_chunk("PLTE", "\x01\x02\x03\x04\x05\x06\x07\x08\x09") + png_chunk("tRNS", std::string(1, '\0'));
    CHECK(decoded(png) == std::vector<int>{1, 2, 7, 8, 9, 1, 2, 3});
  }
}

TEST_CASE("an interlaced PNG is put together", "[image_folder][png]") {
  // Adam7 of 2 x 2: pass 1 has pixel (0, 0), pass 6 (0, 1), pass 7 the second row.
  PngParts png;
  png.interlace = 1;
  png.rows = std::string("\0\x01\x02\x03\0\x04\x05\x06\0\x07\x08\x09\x0a\x0b\x0c", 15);
  CHECK(decoded(png) == kPlain);
}

TEST_CASE("EXIF's orientation turns a PNG", "[image_folder][png]") {
  PngParts png;
  png.after = png_chunk("eXIf", std::string("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26));
  CHECK(decoded(png) == std::vector<int>{2, 2, 7, 8, 9, 1, 2, 3, 10, 11, 12, 4, 5, 6});
}

TEST_CASE("EXIF data that is none turns nothing", "[image_folder][png]") {
  const std::string whole("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
  const auto with = [&](std::size_t at, const std::string& bytes) {
    std::string changed = whole;
    return changed.replace(at, bytes.size(), bytes);
  };
  const std::string exif = GENERATE_COPY(whole.substr(0, 19), with(3, "\x2b"), with(4, "\xff\xff\xff\xff"),
                                         with(13, "\x04"), with(19, "\x09"), with(10, "\x01\x13"), std::string("MM"));
  PngParts png;
  png.before = png_chunk("eXIf", exif);
  CHECK(decoded(png) == kPlain);
}

TEST_CASE("a PNG under a JPEG's name is read all the same, and the other way round", "[image_folder][png]") {
  const TempFolder folder;
  folder.write("cat/1.jpg", PngParts{}.file());
  folder.write("cat/2.PNG", grey_jpeg());
  std::vector<int> sizes;
  const mixop::DatasetHandle data = open_own(folder.text());
  for (int i : {0, 1})
    data.decode(MIXOP_SPLIT_TRAIN, i,
                [&](std::int32_t, std::int32_t width, const std::uint8_t*) { sizes.push_back(width); });
  CHECK(sizes == std::vector<int>{2, 8});
}

TEST_CASE("what is no whole PNG is refused by name", "[image_folder][png][misuse]") {
  const std::string whole = PngParts{}.file(), undecodable = "the PNG file cannot be decoded: ";
  PngParts png;
  SECTION("empty") { check_refused("", "the file is empty"); }
  SECTION("text") { check_refused("GIF89a", "expected a JPEG, a PNG or a PNM file, found other bytes"); }
  SECTION("nothing but the magic") { check_refused("\x89PNG", undecodable + "it is cut off"); }
  SECTION("the pixels are cut off") {
    check_refused(whole.substr(0, whole.size() - 20), undecodable + "it is cut off");
  }
  SECTION("the end is cut off") { check_refused(whole.substr(0, whole.size() - 1), undecodable + "it is cut off"); }
  SECTION("rows are missing") {
    png.rows.resize(7);
    check_refused(png.file(), undecodable + "Not enough image data");
  }
  SECTION("a flipped bit") {
    const auto [from_end, problem] =
        GENERATE(table<std::size_t, std::string>({{22, "IDAT: incorrect data check"}, {14, "IDAT: CRC error"}}));
    std::string bytes = whole;
    bytes[bytes.size() - from_end] = static_cast<char>(bytes[bytes.size() - from_end] ^ 1);
    check_refused(bytes, undecodable + problem);
  }
  SECTION("no pixels") {
    check_refused(PngParts{}.header() + png_chunk("IEND", ""), undecodable + "IEND: out of place");
  }
  SECTION("no width") {
    png.width = 0;
    check_refused(png.file(), undecodable + "Invalid IHDR data");
  }
  SECTION("no palette") {
    png.colour = 3;
    check_refused(png.file(), undecodable + "IDAT: Missing PLTE before IDAT");
  }
  SECTION("a size that its bytes cannot hold") {
    png.width = png.height = 11000;
    check_refused(png.file(),
                  "its " + std::to_string(whole.size()) + " bytes cannot hold an image of 11000 x 11000 pixels");
  }
  SECTION("too many pixels") {
    png.width = png.height = 65536, png.depth = 1, png.colour = 0;
    png.after = png_chunk("tEXt", std::string(1 << 20, 'x'));
    check_refused(png.file(), "the image has 65536 x 65536 pixels, at most 134217728 are decoded");
  }
  SECTION("too long a side") {
    png.width = 65537, png.height = 1, png.depth = 1, png.colour = 0;
    check_refused(png.file(), "the image has 65537 x 1 pixels, at most 65536 a side are decoded");
  }
}

TEST_CASE("every cut and every flipped byte of a PNG is refused or decoded, never a crash",
          "[image_folder][png][misuse]") {
  PngParts png;
  png.before = png_chunk("gAMA", big_endian(45455)) + png_chunk("eXIf", "MM*");
  const std::string whole = png.file();
  const OneImage one(whole);
  const Refusals refused = refusals_of(whole, [&](const std::string& bytes) {
    one.folder.write("cat/1.png", bytes);
    one.pixels();
  });
  CHECK(refused.cuts == static_cast<int>(whole.size()));
  CHECK(refused.flips > static_cast<int>(whole.size()));
}
