#include "file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace mixop::imagenet {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 28;

[[noreturn]] void unreadable(const std::filesystem::path& path, const std::string& why) {
  throw Error(ErrorCode::failed, path.string() + ": the file cannot be read: " + why);
}

}  // namespace

void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::bad_data, path.string() + ": " + what);
}

std::vector<std::uint8_t> read_whole(const std::filesystem::path& path) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  if (failure) unreadable(path, failure.message());
  if (size == 0) refuse(path, "the file is empty");
  if (size > kMaxFileBytes)
    refuse(path,
           "the file has " + std::to_string(size) + " bytes, at most " + std::to_string(kMaxFileBytes) + " are read");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) unreadable(path, std::strerror(errno));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size())
    unreadable(path, std::ferror(file.get()) != 0 ? std::strerror(errno) : "it is shorter than it was");
  return bytes;
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines(1);
  for (const std::uint8_t byte : read_whole(path)) {
    if (byte == '\n')
      lines.emplace_back();
    else if (byte != '\r')
      lines.back() += static_cast<char>(byte);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace mixop::imagenet
