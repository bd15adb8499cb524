#include "image.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "file.hpp"
#include "jpeg.hpp"
#include "png_file.hpp"
#include "pnm_file.hpp"

namespace mixop::imagenet {
namespace {

constexpr std::int64_t kMaxSide = 65536;

bool begins_with(const std::vector<std::uint8_t>& bytes, std::string_view start) {
  return bytes.size() >= start.size() &&
         std::equal(start.begin(), start.end(), bytes.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

}  // namespace

Image blank_image(const std::filesystem::path& path, std::int64_t height, std::int64_t width) {
  const std::string size =
      "the image has " + std::to_string(width) + " x " + std::to_string(height) + " pixels, at most ";
  if (height > kMaxSide || width > kMaxSide) refuse(path, size + std::to_string(kMaxSide) + " a side are decoded");
  if (height * width > kMaxPixels) refuse(path, size + std::to_string(kMaxPixels) + " are decoded");
  return {static_cast<std::int32_t>(height), static_cast<std::int32_t>(width),
          std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(height * width) * 3), 1};
}

bool is_png(const std::vector<std::uint8_t>& bytes) { return begins_with(bytes, "\x89PNG"); }

Image decode_image(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  if (is_png(bytes)) return decode_png(path, bytes);
  if (begins_with(bytes, "\xff\xd8")) return decode_jpeg(path, bytes);
  if (is_pnm(bytes)) return decode_pnm(path, bytes);
  refuse(path, "expected a JPEG, a PNG or a PNM file, found other bytes");
}

}  // namespace mixop::imagenet
