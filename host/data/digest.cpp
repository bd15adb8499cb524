#include "host/data/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

namespace mixop {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) fail();
  }
  void add(const void* bytes, std::size_t count) {
    if (EVP_DigestUpdate(context_.get(), bytes, count) != 1) fail();
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) fail();
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += "0123456789abcdef"[digest[i] >> 4];
      text += "0123456789abcdef"[digest[i] & 15];
    }
    return text;
  }

 private:
  [[noreturn]] static void fail() { throw Error(ErrorCode::failed, "OpenSSL could not compute a SHA-256 digest"); }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of_text(std::string_view text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  return hash.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) throw Error(ErrorCode::bad_data, path.string() + ": cannot be opened for its digest");
  Sha256 hash;
  std::vector<unsigned char> buffer(std::size_t{1} << 20);
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    hash.add(buffer.data(), count);
  if (std::ferror(file.get()) != 0) throw Error(ErrorCode::bad_data, path.string() + ": cannot be read for its digest");
  return hash.hex();
}

std::string dataset_digest(const DatasetHandle& data) {
  std::string lines;
  if (data.info().files.empty()) lines += data.name() + "\n";
  for (const auto& [key, value] : data.options()) lines += data.name() + "." + key + "=" + value + "\n";
  for (const std::string& file : data.info().files)
    lines += sha256_of_file(file) + "  " + std::filesystem::path(file).filename().string() + "\n";
  return sha256_of_text(lines);
}

}  // namespace mixop
