#include "host/draw/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "mixop/error.hpp"

namespace mixop {

void require_no_folder(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file))
    throw Error(ErrorCode::usage, file.string() + ": cannot be written: it is a folder; name a file");
}

void write_text(const std::string& text, const std::filesystem::path& file) {
  std::ofstream out(file, std::ios::binary);
  out << text << std::flush;
  if (!out)
    throw Error(ErrorCode::usage, file.string() + ": cannot be written: " + std::strerror(errno) +
                                      "; name a file in a folder that exists and is writable");
}

}  // namespace mixop
