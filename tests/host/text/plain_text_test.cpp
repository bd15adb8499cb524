#include "host/text/plain_text.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

const std::filesystem::path kFile = std::filesystem::temp_directory_path() / "mixop-plain-text";

std::string read(const std::string& bytes) {
  std::ofstream(kFile, std::ios::binary) << bytes << std::flush;
  try {
    return read_plain_text(kFile, ErrorCode::bad_data);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::bad_data);
    return error.what();
  }
}

}  // namespace

TEST_CASE("UTF-16 is named and a byte-order mark skipped", "[text]") {
  CHECK(read("\xff\xfe{") == kFile.string() + ": UTF-16 text; save it as UTF-8");
  CHECK(read(std::string("\xfe\xff\0{", 4)) == kFile.string() + ": UTF-16 text; save it as UTF-8");
  CHECK(read("\xef\xbb\xbf{}") == "{}");
  CHECK(read("").empty());
}

TEST_CASE("a pipe is read to its end, up to the limit", "[text]") {
  std::filesystem::remove(kFile);
  REQUIRE(mkfifo(kFile.c_str(), 0600) == 0);
  std::thread writer([] { std::ofstream(kFile) << "\xef\xbb\xbf{\"seed\": 3}"; });
  CHECK(read_plain_text(kFile, ErrorCode::usage) == "{\"seed\": 3}");
  writer.join();
  std::filesystem::remove(kFile);
  CHECK_THROWS_WITH(read_plain_text("/dev/zero", ErrorCode::usage),
                    "/dev/zero: more than 33554432 bytes, the most of a text");
}

TEST_CASE("other formats are known by how they begin", "[text]") {
  CHECK(foreign_format("PK\x03\x04...") == "a ZIP archive, such as PyTorch's .pt files are");
  CHECK(foreign_format("\x89HDF\r\n\x1a\n") == "an HDF5 file that mixop did not write");
  CHECK(foreign_format("\x80\x02}") == "a pickle");
  CHECK(foreign_format("# a comment\n\nseed: 1\n") == "YAML");
  CHECK(foreign_format("space:\r\n  layers: 1") == "YAML");
  CHECK(foreign_format("{\"a\": 1}").empty());
  CHECK(foreign_format("2019-07-16 13:39:20,853 genotype = 1").empty());
  CHECK(foreign_format("").empty());
}
