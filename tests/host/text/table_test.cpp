#include "host/text/table.hpp"

#include <limits>

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("columns are as wide as their widest cells, and no blanks end a line", "[text]") {
  const std::vector<Align> aligns{Align::left, Align::right};
  CHECK(table_text({{"part", "size"}, {"a", "12345"}, {"longer", ""}}, aligns) ==
        "part     size\na       12345\nlonger\n");
  CHECK(table_text({{"a"}, {"b", "1", "2"}}, aligns) == "a\nb  1  2\n");
  CHECK(table_text({}, aligns).empty());
}

TEST_CASE("cells are shown as a terminal may see them, and aligned by characters", "[text]") {
  CHECK(table_text({{"图", "1"}, {"ab", "2"}}, {Align::left}) == "图   1\nab  2\n");
  CHECK(table_text({{"\x1b[2J", "1"}}, {Align::left}) == "\\x1b[2J  1\n");
}

TEST_CASE("a number is written with as many digits as asked for, the largest too", "[text]") {
  CHECK(fixed_text(1.25, 4) == "1.2500");
  CHECK(fixed_text(-std::numeric_limits<double>::max(), 2).size() == 313);
}
