#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

// OpenSSL's own name of its digest's state.
struct evp_md_ctx_st;

namespace mixop {

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  void add(const void* bytes, std::size_t count);
  /// The digest of all that was added; the object is spent then.
  Digest digest();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

/// As 64 lower-case hex digits.
std::string hex_of(const Sha256::Digest& digest);

/// SHA-256 as 64 lower-case hex digits.
std::string sha256_of_text(std::string_view text);
/// Of a file's content. Throws bad_data where it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace mixop
