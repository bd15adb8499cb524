#pragma once

#include <map>
#include <string>

#include "tests/plugins/datasets/support.hpp"

inline mixop::DatasetHandle open_imagenet(const std::string& folder,
                                          const std::map<std::string, std::string>& options = {}) {
  return mixop::DatasetHandle("imagenet", dataset_table("mixop_datasets_imagenet.so", "imagenet"), folder, options);
}

/// One's own images, by the same plugin.
inline mixop::DatasetHandle open_own(const std::string& folder,
                                     const std::map<std::string, std::string>& options = {}) {
  return mixop::DatasetHandle("image_folder", dataset_table("mixop_datasets_imagenet.so", "image_folder"), folder,
                              options);
}

inline std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

/// A baseline JPEG of 8 x 8 grey pixels of value 100.
inline std::string grey_jpeg() {
  return from_hex(
      "ffd8"
      "ffe000104a46494600010100000100010000"
      "ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f6267"
      "6867"
      "3e4d71797064785c656763"
      "ffc0000b080008000801011100"
      "ffc40014000100000000000000000000000000000004"
      "ffc40014100100000000000000000000000000000000"
      "ffda0008010100003f000bff"
      "d9");
}

/// Where the frame header begins in grey_jpeg(): marker, length, precision, then height and width.
inline constexpr std::size_t kFrameHeader = 2 + 18 + 69;

/// How many bytes of grey_jpeg() are its only scan and the end of the image.
inline constexpr std::size_t kScanBytes = 13;

/// How many of the cuts of a file and of its flipped bytes are refused as bad data.
struct Refusals {
  int cuts = 0, flips = 0;
};

/// Hands every cut and every flipped byte to `attempt`, which may throw bad_data alone.
template <class Attempt>
Refusals refusals_of(const std::string& whole, Attempt&& attempt) {
  const auto refused = [&](const std::string& bytes) {
    try {
      attempt(bytes);
    } catch (const mixop::Error& error) {
      REQUIRE(error.code() == mixop::ErrorCode::bad_data);
      return 1;
    }
    return 0;
  };
  Refusals found;
  for (std::size_t size = 0; size < whole.size(); ++size) found.cuts += refused(whole.substr(0, size));
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int flip : {1, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      found.flips += refused(bytes);
    }
  return found;
}
