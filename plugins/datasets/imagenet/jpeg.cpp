#include "jpeg.hpp"

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

// libjpeg's header needs <cstdio>.
#include <jerror.h>
#include <jpeglib.h>

#include "attempt.hpp"
#include "file.hpp"
#include "orientation.hpp"

namespace mixop::imagenet {
namespace {

constexpr int kMaxScans = 500;
/// EXIF data lies in segments of this marker that begin with this text.
constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr std::string_view kExifStart("Exif\0\0", 6);

/// Warnings that tell of odd metadata or bytes between the segments; all others tell of lost pixels.
bool is_harmless(int warning) {
  return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_JFIF_MAJOR || warning == JWRN_ADOBE_XFORM;
}

/// A libjpeg decompressor that stops at the first error and at the first warning of lost pixels.
class Decompressor {
 public:
  Decompressor() {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = leave;
    errors_.emit_message = judge;
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = limit_scans;
  }
  ~Decompressor() { jpeg_destroy_decompress(&jpeg_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  bool read_header(const std::vector<std::uint8_t>& bytes) {
    return attempt_.run([&] {
      jpeg_create_decompress(&jpeg_);
      jpeg_.progress = &progress_;
      jpeg_mem_src(&jpeg_, bytes.data(), static_cast<unsigned long>(bytes.size()));
      jpeg_save_markers(&jpeg_, kExifMarker, 0xffff);
      jpeg_read_header(&jpeg_, TRUE);
    });
  }
  bool read_pixels(std::uint8_t* pixels) {
    return attempt_.run([&] {
      jpeg_.out_color_space = has_inks() ? JCS_CMYK : JCS_RGB;
      jpeg_.dct_method = JDCT_ISLOW;
      jpeg_start_decompress(&jpeg_);
      const std::size_t row = std::size_t{jpeg_.output_width} * static_cast<std::size_t>(jpeg_.output_components);
      while (jpeg_.output_scanline < jpeg_.output_height) {
        JSAMPROW line = pixels + row * jpeg_.output_scanline;
        jpeg_read_scanlines(&jpeg_, &line, 1);
      }
      jpeg_finish_decompress(&jpeg_);
    });
  }

  std::int64_t height() const { return jpeg_.image_height; }
  std::int64_t width() const { return jpeg_.image_width; }
  bool has_inks() const { return jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK; }
  int orientation() const {
    for (const jpeg_marker_struct* segment = jpeg_.marker_list; segment != nullptr; segment = segment->next) {
      const std::string_view data(reinterpret_cast<const char*>(segment->data), segment->data_length);
      if (segment->marker == kExifMarker && data.substr(0, kExifStart.size()) == kExifStart)
        return exif_orientation({segment->data + kExifStart.size(), segment->data_length - kExifStart.size()});
    }
    return 1;
  }
  const char* problem() const { return attempt_.problem; }

 private:
  static void leave(j_common_ptr jpeg) {
    auto& self = *static_cast<Decompressor*>(jpeg->client_data);
    jpeg->err->format_message(jpeg, self.attempt_.problem);
    self.attempt_.leave();
  }
  static void judge(j_common_ptr jpeg, int level) {
    if (level < 0 && !is_harmless(jpeg->err->msg_code)) leave(jpeg);
  }
  static void limit_scans(j_common_ptr jpeg) {
    auto& self = *static_cast<Decompressor*>(jpeg->client_data);
    if (self.jpeg_.input_scan_number <= kMaxScans) return;
    std::snprintf(self.attempt_.problem, sizeof self.attempt_.problem, "it has more than %d scans", kMaxScans);
    self.attempt_.leave();
  }

  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  Attempt attempt_;
};

void require_jpeg(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  if (bytes.size() >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8) return;
  refuse(path, is_png(bytes) ? "expected a JPEG file, found a PNG file" : "expected a JPEG file, found other bytes");
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
  Decompressor jpeg;
  const auto require = [&](bool done) {
    if (!done) refuse(path, std::string("the JPEG file cannot be decoded: ") + jpeg.problem());
  };
  require(jpeg.read_header(bytes));
  Image image = blank_image(path, jpeg.height(), jpeg.width());
  image.orientation = jpeg.orientation();
  if (!jpeg.has_inks()) {
    require(jpeg.read_pixels(image.pixels.get()));
    return image;
  }
  const std::int64_t count = jpeg.height() * jpeg.width();
  const auto inks = std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(count) * 4);
  require(jpeg.read_pixels(inks.get()));
  for (std::int64_t i = 0; i < count; ++i) light_of(inks.get() + 4 * i, image.pixels.get() + 3 * i);
  return image;
}

}  // namespace mixop::imagenet
