#include "host/text/whole_file.hpp"

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;

TEST_CASE("a file is read whole, and what is no file is not read", "[text]") {
  const test::TemporaryFolder folder;
  const std::string bytes("a\0b\r\n", 5);
  CHECK(whole_file(folder.write("some", bytes)) == bytes);
  CHECK(whole_file(folder.write("empty", std::string())) == "");
  CHECK_FALSE(whole_file(folder.path() / "absent"));
  CHECK_FALSE(whole_file(folder.path()));
}
