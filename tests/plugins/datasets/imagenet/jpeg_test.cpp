#include <vector>

#include "tests/plugins/datasets/imagenet/jpeg_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

struct Decoded {
  std::int32_t height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

Decoded decode(const mixop::DatasetHandle& data) {
  Decoded image;
  data.decode(MIXOP_SPLIT_TRAIN, 0, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
    image = {height, width, {pixels, pixels + height * width * 3}};
  });
  return image;
}

/// A set of one image with these bytes.
struct OneImage {
  explicit OneImage(const std::string& bytes, const std::string& on_corrupt = "skip")
      : path(folder.write("train/cat/1.JPEG", bytes)),
        data(open_imagenet(folder.text(), {{"on_corrupt", on_corrupt}})) {}

  TempFolder folder;
  std::string path;
  mixop::DatasetHandle data;
};

void check_refused(const std::string& bytes, const std::string& problem) {
  const OneImage one(bytes);
  const Error error = error_of([&] { decode(one.data); });
  CHECK(error.what() == "data set 'imagenet', split 'train': " + one.path + ": " + problem);
  CHECK(error.code() == ErrorCode::bad_data);
}

std::string with_size(int height, int width) {
  std::string bytes = grey_jpeg();
  bytes.replace(kFrameHeader + 5, 4,
                {static_cast<char>(height >> 8), static_cast<char>(height), static_cast<char>(width >> 8),
                 static_cast<char>(width)});
  return bytes;
}

/// The file with something that warns and does no harm.
std::string with_oddity(std::string bytes, const std::string& oddity) {
  if (oddity == "extraneous bytes") bytes.insert(20, "abc");
  if (oddity == "JFIF revision 9") bytes[11] = 9;
  return bytes;
}

/// A sound progressive file that sends each of its 63 varying coefficients in ten scans, a bit a scan.
std::string progressive_with_scans() {
  std::string bytes = grey_jpeg();
  bytes[kFrameHeader + 1] = '\xc2';
  bytes.resize(bytes.size() - kScanBytes);
  bytes += from_hex("ffda00080101000000000b");
  for (int coefficient = 1; coefficient < 64; ++coefficient)
    for (int bit = 9; bit >= 0; --bit) {
      bytes += from_hex("ffda0008010100") + std::string(2, static_cast<char>(coefficient));
      bytes += static_cast<char>((bit == 9 ? 0 : bit + 1) << 4 | bit);
      bytes += '\x7f';
    }
  return bytes + "\xff\xd9";
}

}  // namespace

TEST_CASE("a grey JPEG has three equal channels", "[imagenet][jpeg]") {
  const Decoded image = decode(OneImage(grey_jpeg()).data);
  CHECK(image.height == 8);
  CHECK(image.width == 8);
  CHECK(image.pixels == std::vector<std::uint8_t>(192, 100));
}

TEST_CASE("bytes between the segments and an unknown JFIF revision do no harm", "[imagenet][jpeg]") {
  const std::string oddity = GENERATE("extraneous bytes", "JFIF revision 9");
  CHECK(decode(OneImage(with_oddity(grey_jpeg(), oddity)).data).pixels == std::vector<std::uint8_t>(192, 100));
}

TEST_CASE("a harmless oddity hides no damage that follows", "[imagenet][jpeg][misuse]") {
  const std::string oddity = GENERATE("extraneous bytes", "JFIF revision 9");
  const std::string whole = grey_jpeg(), undecodable = "the JPEG file cannot be decoded: ";
  check_refused(with_oddity(whole.substr(0, whole.size() - 2), oddity), undecodable + "Premature end of JPEG file");
  check_refused(with_oddity(with_size(64, 64), oddity),
                undecodable + "Corrupt JPEG data: premature end of data segment");
}

TEST_CASE("what is no whole JPEG is refused by name", "[imagenet][jpeg][misuse]") {
  const std::string whole = grey_jpeg(), undecodable = "the JPEG file cannot be decoded: ";
  SECTION("empty") { check_refused("", "the file is empty"); }
  SECTION("PNG") { check_refused("\x89PNG\r\n\x1a\n....", "expected a JPEG file, found a PNG file"); }
  SECTION("text") { check_refused("404 not found", "expected a JPEG file, found other bytes"); }
  SECTION("nothing but the magic") { check_refused("\xff\xd8", undecodable + "Premature end of JPEG file"); }
  SECTION("the end is cut off") {
    check_refused(whole.substr(0, whole.size() - 2), undecodable + "Premature end of JPEG file");
  }
  SECTION("the header is cut off") { check_refused(whole.substr(0, 60), undecodable + "Premature end of JPEG file"); }
  SECTION("no frame") {
    check_refused(whole.substr(0, kFrameHeader) + "\xff\xd9", undecodable + "JPEG datastream contains no image");
  }
  SECTION("more scans than an image needs") {
    check_refused(progressive_with_scans(), undecodable + "it has more than 500 scans");
  }
  SECTION("pixels are missing") {
    check_refused(with_size(64, 64), undecodable + "Corrupt JPEG data: premature end of data segment");
  }
  SECTION("no width") { check_refused(with_size(8, 0), undecodable + "Empty JPEG image (DNL not supported)"); }
  SECTION("absurd size") {
    check_refused(with_size(65500, 65500), "the image has 65500 x 65500 pixels, at most 134217728 are decoded");
  }
}

TEST_CASE("a corrupt image that ends the run says what to do", "[imagenet][jpeg][misuse]") {
  const OneImage one("", "fail");
  CHECK(error_of([&] { decode(one.data); }).what() ==
        "data set 'imagenet', split 'train': " + one.path +
            ": the file is empty; replace the file, or set imagenet.on_corrupt=skip");
}

TEST_CASE("a file that is gone is no corrupt one", "[imagenet][jpeg][misuse]") {
  const OneImage one(grey_jpeg(), "skip");
  std::filesystem::remove(one.path);
  const Error error = error_of([&] { decode(one.data); });
  CHECK(error.what() ==
        "data set 'imagenet', split 'train': " + one.path + ": the file cannot be read: No such file or directory");
  CHECK(error.code() == ErrorCode::failed);
}

TEST_CASE("every cut and every flipped byte of a JPEG is refused or decoded, never a crash",
          "[imagenet][jpeg][misuse]") {
  const std::string whole = grey_jpeg();
  const OneImage one(whole);
  const Refusals refused = refusals_of(whole, [&](const std::string& bytes) {
    one.folder.write("train/cat/1.JPEG", bytes);
    decode(one.data);
  });
  CHECK(refused.cuts == static_cast<int>(whole.size()));
  CHECK(refused.flips > 100);
}
