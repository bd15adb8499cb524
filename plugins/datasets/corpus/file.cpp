#include "file.hpp"

#include <fstream>

namespace mixop::corpus {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 31;

}  // namespace

void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::bad_data, path.string() + ": " + what);
}

std::string read_whole(const std::filesystem::path& path) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) refuse(path, "expected a file, found something else");
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  const auto unreadable = [&] { refuse(path, "the file cannot be read; check its permissions and its disk"); };
  if (failure) unreadable();
  if (size == 0)
    refuse(path, "the file is empty; every split needs text: unpack the set again, or for a trial copy another split");
  if (size > kMaxFileBytes)
    refuse(path,
           "the file has " + std::to_string(size) + " bytes, at most " + std::to_string(kMaxFileBytes) + " are read");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) unreadable();
  return bytes;
}

}  // namespace mixop::corpus
