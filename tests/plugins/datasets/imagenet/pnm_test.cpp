#include "tests/plugins/datasets/imagenet/jpeg_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

/// The pixels of a folder's only image.
std::string decoded(const std::string& bytes, std::int32_t height, std::int32_t width) {
  const TempFolder folder;
  folder.write("a/1.ppm", bytes);
  folder.write("b/1.jpg", grey_jpeg());
  const mixop::DatasetHandle data = open_own(folder.text());
  std::string pixels;
  data.decode(MIXOP_SPLIT_TRAIN, 0, [&](std::int32_t h, std::int32_t w, const std::uint8_t* values) {
    CHECK(h == height);
    CHECK(w == width);
    pixels.assign(reinterpret_cast<const char*>(values), static_cast<std::size_t>(3 * h * w));
  });
  return pixels;
}

std::string problem(const std::string& bytes) {
  const Error error = error_of([&] { decoded(bytes, 0, 0); });
  CHECK(error.code() == ErrorCode::bad_data);
  const std::string what = error.what();
  const auto from = what.find("1.ppm: ") + 7;
  return what.substr(from, what.find("; replace") - from);
}

}  // namespace

TEST_CASE("PNM images decode as text and as bytes, of one and of three channels", "[image_folder][pnm]") {
  CHECK(decoded("P6 2 1 255\nabcdef", 1, 2) == "abcdef");
  CHECK(decoded("P3\n# a comment\n1 2\n255\n97 98 99\n100 101 102\n", 2, 1) == "abcdef");
  CHECK(decoded("P5\n2 1\n255\nab", 1, 2) == "aaabbb");
  CHECK(decoded("P2 2 1 2 0 1", 1, 2) == std::string("\0\0\0\x80\x80\x80", 6));
  CHECK(decoded(std::string("P5 1 1 65535\n\xff\xff", 15), 1, 1) == "\xff\xff\xff");
}

TEST_CASE("malformed PNM images are refused before memory is taken for them", "[image_folder][pnm][misuse]") {
  CHECK(problem("P6 2 1 255\nabcde") == "the PNM file ends early: 6 samples expected, found bytes of 5");
  CHECK(problem("P6 60000 60000 255\nabcde").find("the PNM file ends early: 10800000000 samples") == 0);
  CHECK(problem("P6 70000 1 255\n").find("the PNM file's width must be 1 to 65535") == 0);
  CHECK(problem("P6 2") == "the PNM file ends before height");
  CHECK(problem("P6 2 1 0\n") == "the PNM file's largest sample must be 1 to 65535");
  CHECK(problem("P5 1 1 7\n\x08") == "the PNM file has a sample above its maximum");
  CHECK(problem("P2 1 1 7\n8") == "the PNM file's sample must be 0 to 7");
  CHECK(problem("P5 1 1 255") == "the PNM file has no blank behind its header");
  CHECK(problem("P7 1 1 255\na").find("expected a JPEG, a PNG or a PNM file") == 0);
}
