#pragma once

#include <cstdint>
#include <initializer_list>

namespace mixop {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits that mixes well.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A key that depends on every part and on their order.
constexpr std::uint64_t key_of(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t key = 0x9e3779b97f4a7c15ULL;
  for (const std::uint64_t part : parts) key = mix64(key + mix64(part + 0x9e3779b97f4a7c15ULL));
  return key;
}

/// A counter-based stream: draw n of key k is a pure function of (k, n), so a position is one integer.
class RandomStream {
 public:
  constexpr explicit RandomStream(std::uint64_t key) : key_(key) {}
  constexpr std::uint64_t next() { return mix64(key_ + 0x9e3779b97f4a7c15ULL * ++count_); }
  /// Uniform in [0, bound), bound > 0, without modulo bias (Lemire 2019).
  constexpr std::uint64_t below(std::uint64_t bound) {
    for (;;) {
      const auto product = static_cast<unsigned __int128>(next()) * bound;
      const auto low = static_cast<std::uint64_t>(product);
      if (low >= bound || low >= (0 - bound) % bound) return static_cast<std::uint64_t>(product >> 64);
    }
  }
  /// Uniform in [0, 1), with 53 random bits.
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t key_;
  std::uint64_t count_ = 0;
};

}  // namespace mixop
