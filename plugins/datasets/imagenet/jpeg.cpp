#include "jpeg.hpp"

#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "file.hpp"

namespace mixop::imagenet {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 27;
constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;
// Warnings that tell of odd metadata or bytes between the segments; all others tell of lost pixels.
constexpr std::array<std::string_view, 3> kHarmless = {"extraneous bytes before marker", "JFIF revision",
                                                       "Adobe color transform"};

using Handle = std::unique_ptr<void, int (*)(tjhandle)>;

bool is_harmless(std::string_view warning) {
  return std::any_of(kHarmless.begin(), kHarmless.end(),
                     [&](std::string_view known) { return warning.find(known) != std::string_view::npos; });
}

void require_jpeg(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 4));
  if (start.substr(0, 2) == "\xff\xd8") return;
  refuse(path,
         start == "\x89PNG" ? "expected a JPEG file, found a PNG file" : "expected a JPEG file, found other bytes");
}

void decompress(const std::filesystem::path& path, const Handle& handle, const std::vector<std::uint8_t>& bytes,
                const Image& shape, TJPF format, std::uint8_t* pixels) {
  const int status =
      tjDecompress2(handle.get(), bytes.data(), bytes.size(), pixels, shape.width, 0, shape.height, format, kFlags);
  if (status == 0) return;
  const std::string problem = tjGetErrorStr2(handle.get());
  if (tjGetErrorCode(handle.get()) != TJERR_WARNING || !is_harmless(problem))
    refuse(path, "the JPEG file cannot be decoded: " + problem);
}

/// a * b / 255, rounded.
int scaled(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Adobe stores 255 - ink, so a stored value is light that passes: what black lets pass, less what the colour takes.
void light_of(const std::uint8_t* inks, std::uint8_t* pixel) {
  const int black = inks[3];
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(black - scaled(255 - inks[c], black));
}

}  // namespace

Image decode_jpeg(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  require_jpeg(path, bytes);
  const Handle handle(tjInitDecompress(), tjDestroy);
  if (handle == nullptr) throw Error(ErrorCode::failed, "libjpeg-turbo cannot start: no memory");
  Image image{0, 0, nullptr};
  int subsampling = -1, colours = -1;
  // A failure that leaves size and colours known is about an unusual subsampling, which decoding does not mind.
  if (tjDecompressHeader3(handle.get(), bytes.data(), bytes.size(), &image.width, &image.height, &subsampling,
                          &colours) != 0 &&
      (image.width < 1 || image.height < 1 || colours < 0))
    refuse(path, std::string("the JPEG file cannot be decoded: ") + tjGetErrorStr2(handle.get()));
  const std::int64_t count = std::int64_t{image.height} * image.width;
  if (count > kMaxPixels)
    refuse(path, "the image has " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                     " pixels, at most " + std::to_string(kMaxPixels) + " are decoded");
  image.pixels = std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(count) * 3);
  if (colours != TJCS_CMYK && colours != TJCS_YCCK) {
    decompress(path, handle, bytes, image, TJPF_RGB, image.pixels.get());
    return image;
  }
  const auto inks = std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(count) * 4);
  decompress(path, handle, bytes, image, TJPF_CMYK, inks.get());
  for (std::int64_t i = 0; i < count; ++i) light_of(inks.get() + 4 * i, image.pixels.get() + 3 * i);
  return image;
}

}  // namespace mixop::imagenet
