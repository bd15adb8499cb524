#include "host/text/sha256.hpp"

#include <openssl/evp.h>

#include <cstdio>
#include <vector>

#include "mixop/error.hpp"

namespace mixop {
namespace {

void require(bool done) {
  if (!done) throw Error(ErrorCode::failed, "OpenSSL could not compute a SHA-256 digest");
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(const void* bytes, std::size_t count) { require(EVP_DigestUpdate(context_.get(), bytes, count) == 1); }

Sha256::Digest Sha256::digest() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
  return digest;
}

std::string hex_of(const Sha256::Digest& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::string sha256_of_text(std::string_view text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  return hex_of(hash.digest());
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) throw Error(ErrorCode::bad_data, path.string() + ": cannot be opened for its digest");
  Sha256 hash;
  std::vector<unsigned char> buffer(std::size_t{1} << 20);
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    hash.add(buffer.data(), count);
  if (std::ferror(file.get()) != 0) throw Error(ErrorCode::bad_data, path.string() + ": cannot be read for its digest");
  return hex_of(hash.digest());
}

}  // namespace mixop
