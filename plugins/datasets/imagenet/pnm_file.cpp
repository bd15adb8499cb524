#include "pnm_file.hpp"

#include <algorithm>
#include <string>

#include "file.hpp"

namespace mixop::imagenet {
namespace {

constexpr std::int64_t kMostOfHeader = 65535;  // a side in pixels, or the largest sample

bool is_blank(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(std::uint8_t c) { return c >= '0' && c <= '9'; }

/// Reads the numbers of a header and of samples in text, and samples in bytes.
class PnmReader {
 public:
  PnmReader(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) : path_(path), bytes_(bytes) {}

  std::int64_t number(const char* what, std::int64_t least, std::int64_t most) {
    skip_blanks();
    if (at_ == bytes_.size()) refuse(path_, std::string("the PNM file ends before ") + what);
    std::int64_t value = 0;
    const std::size_t start = at_;
    for (; at_ < bytes_.size() && is_digit(bytes_[at_]) && value <= kMostOfHeader; ++at_)
      value = 10 * value + (bytes_[at_] - '0');
    if (at_ == start || value < least || value > most)
      refuse(path_, std::string("the PNM file's ") + what + " must be " + std::to_string(least) + " to " +
                        std::to_string(most));
    return value;
  }
  /// The one blank between header and bytes.
  void end_header() {
    if (at_ == bytes_.size() || !is_blank(bytes_[at_])) refuse(path_, "the PNM file has no blank behind its header");
    ++at_;
  }
  std::int64_t raw(bool wide, std::int64_t most) {
    std::int64_t value = bytes_[at_++];
    if (wide) value = 256 * value + bytes_[at_++];
    if (value > most) refuse(path_, "the PNM file has a sample above its maximum");
    return value;
  }
  /// Before memory is taken for that many samples of at least so many bytes.
  void require_left(std::int64_t samples, std::int64_t bytes) const {
    const auto left = static_cast<std::int64_t>(bytes_.size() - at_);
    if (left / bytes < samples)
      refuse(path_, "the PNM file ends early: " + std::to_string(samples) + " samples expected, found bytes of " +
                        std::to_string(left / bytes));
  }

 private:
  void skip_blanks() {
    for (; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '#')
        while (at_ + 1 < bytes_.size() && bytes_[at_ + 1] != '\n') ++at_;
      else if (!is_blank(bytes_[at_]))
        return;
    }
  }

  const std::filesystem::path& path_;
  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 2;  // behind the "P6"
};

}  // namespace

bool is_pnm(const std::vector<std::uint8_t>& bytes) {
  if (bytes.size() < 3 || bytes[0] != 'P' || !is_blank(bytes[2])) return false;
  return bytes[1] == '2' || bytes[1] == '3' || bytes[1] == '5' || bytes[1] == '6';
}

Image decode_pnm(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  PnmReader reader(path, bytes);
  const bool text = bytes[1] == '2' || bytes[1] == '3', grey = bytes[1] == '2' || bytes[1] == '5';
  const std::int64_t width = reader.number("width", 1, kMostOfHeader),
                     height = reader.number("height", 1, kMostOfHeader);
  const std::int64_t most = reader.number("largest sample", 1, kMostOfHeader);
  if (!text) reader.end_header();
  const bool wide = most > 255;
  const std::int64_t samples = height * width * (grey ? 1 : 3);
  reader.require_left(samples, !text && wide ? 2 : 1);
  Image image = blank_image(path, height, width);
  std::uint8_t* pixel = image.pixels.get();
  for (std::int64_t i = 0; i < samples; ++i) {
    const std::int64_t value = text ? reader.number("sample", 0, most) : reader.raw(wide, most);
    const auto scaled = static_cast<std::uint8_t>((value * 255 + most / 2) / most);
    for (int copy = 0; copy < (grey ? 3 : 1); ++copy) *pixel++ = scaled;
  }
  return image;
}

}  // namespace mixop::imagenet
