#include "png_file.hpp"

#include <png.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "attempt.hpp"
#include "file.hpp"
#include "orientation.hpp"

namespace mixop::imagenet {
namespace {

/// Deflate makes at most 1032 bytes of one.
constexpr std::int64_t kMostInflated = 1032;

/// A libpng decoder of bytes in memory that reads pixels and the EXIF chunk and skips all other metadata, so that what
/// it holds is bounded by the image. libpng leaves by longjmp, so what runs in `attempt` holds nothing that a
/// destructor must free.
class Decompressor {
 public:
  explicit Decompressor(const std::vector<std::uint8_t>& bytes)
      : next_(bytes.data()),
        end_(next_ + bytes.size()),
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, leave, [](png_structp, png_const_charp) {})),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  ~Decompressor() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  bool read_header() {
    if (info_ == nullptr) return out_of_memory();
    return attempt_.run([&] {
      png_set_read_fn(png_, this, give_bytes);
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, reinterpret_cast<png_const_bytep>("eXIf"), 1);
      png_read_info(png_, info_);
    });
  }

  bool read_pixels(std::uint8_t* const* rows) {
    return attempt_.run([&] {
      if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
      png_set_expand_gray_1_2_4_to_8(png_);
      png_set_strip_16(png_);
      png_set_strip_alpha(png_);
      png_set_gray_to_rgb(png_);
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      if (png_get_rowbytes(png_, info_) != static_cast<std::size_t>(width()) * 3)
        png_error(png_, "unknown pixel format");
      png_read_image(png_, const_cast<png_bytepp>(rows));
      png_read_end(png_, info_);
    });
  }

  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t bits_per_pixel() const {
    return std::int64_t{png_get_bit_depth(png_, info_)} * png_get_channels(png_, info_);
  }
  int orientation() {
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &exif) == 0) return 1;
    return exif_orientation({exif, size});
  }
  const char* problem() const { return attempt_.problem; }

 private:
  bool out_of_memory() {
    std::snprintf(attempt_.problem, sizeof attempt_.problem, "no memory");
    return false;
  }
  static void leave(png_structp png, png_const_charp message) {
    auto& self = *static_cast<Decompressor*>(png_get_error_ptr(png));
    std::snprintf(self.attempt_.problem, sizeof self.attempt_.problem, "%s", message);
    self.attempt_.leave();
  }
  static void give_bytes(png_structp png, png_bytep out, std::size_t count) {
    auto& self = *static_cast<Decompressor*>(png_get_io_ptr(png));
    if (count > static_cast<std::size_t>(self.end_ - self.next_)) png_error(png, "it is cut off");
    std::memcpy(out, self.next_, count);
    self.next_ += count;
  }

  const std::uint8_t *next_, *end_;
  png_structp png_;
  png_infop info_;
  Attempt attempt_;
};

}  // namespace

Image decode_png(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  if (!is_png(bytes)) refuse(path, "expected a PNG file, found other bytes");
  Decompressor png(bytes);
  const auto require = [&](bool done) {
    if (!done) refuse(path, std::string("the PNG file cannot be decoded: ") + png.problem());
  };
  require(png.read_header());
  const std::int64_t width = png.width(), height = png.height();
  if (height * ((width * png.bits_per_pixel() + 7) / 8) > kMostInflated * static_cast<std::int64_t>(bytes.size()))
    refuse(path, "its " + std::to_string(bytes.size()) + " bytes cannot hold an image of " + std::to_string(width) +
                     " x " + std::to_string(height) + " pixels");
  Image image = blank_image(path, height, width);
  std::vector<std::uint8_t*> rows;
  for (std::int64_t y = 0; y < height; ++y) rows.push_back(image.pixels.get() + y * width * 3);
  require(png.read_pixels(rows.data()));
  image.orientation = png.orientation();
  return image;
}

}  // namespace mixop::imagenet
