#include "file.hpp"

#include <algorithm>
#include <fstream>

namespace mixop::cifar {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 31;
constexpr std::size_t kMaxShown = 60;

}  // namespace

void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::bad_data, path.string() + ": " + what);
}

std::vector<std::uint8_t> read_whole(const std::filesystem::path& path) {
  std::error_code failure;
  if (!std::filesystem::exists(path, failure))
    refuse(path, "the file is missing; the set is incomplete, unpack it again");
  if (!std::filesystem::is_regular_file(path, failure)) refuse(path, "expected a file, found something else");
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  const auto unreadable = [&] { refuse(path, "the file cannot be read; check its permissions and its disk"); };
  if (failure) unreadable();
  if (size == 0) refuse(path, "the file is empty; unpack the set again");
  if (size > kMaxFileBytes)
    refuse(path,
           "the file has " + std::to_string(size) + " bytes, at most " + std::to_string(kMaxFileBytes) + " are read");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) unreadable();
  return bytes;
}

std::string printable(std::string_view text) {
  std::string shown(text.substr(0, kMaxShown));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kMaxShown ? shown + "..." : shown;
}

}  // namespace mixop::cifar
