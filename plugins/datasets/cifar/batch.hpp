#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mixop::cifar {

inline constexpr std::int64_t kImageBytes = 3 * 32 * 32;

/// One of the two published sets.
enum class Variant { cifar10, cifar100 };

inline std::int64_t class_count(Variant variant) { return variant == Variant::cifar10 ? 10 : 100; }

/// Records in memory: `pixels` holds kImageBytes a record, planes red, green, blue.
struct Records {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

/// Appends the records of a binary batch: label byte (CIFAR-100: coarse, then fine), then the image. Throws bad_data.
void append_binary(const std::filesystem::path& path, Variant variant, Records& records);
/// Appends the records of a pickled batch. Throws bad_data.
void append_pickled(const std::filesystem::path& path, Variant variant, Records& records);

}  // namespace mixop::cifar
