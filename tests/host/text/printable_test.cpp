#include "host/text/printable.hpp"

#include "mixop/utf8.hpp"
#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("control characters and broken UTF-8 are shown as bytes", "[text]") {
  CHECK(printable("a\x1b[31m\r\xff") == "a\\x1b[31m\\x0d\\xff");
  CHECK(printable("Zürich 図") == "Zürich 図");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
  CHECK(printable("a\nb") == "a\\x0ab");
  CHECK(printable("a\nb", /*lines=*/true) == "a\nb");
  CHECK(printable("\xe5\x9b") == "\\xe5\\x9b");
}

TEST_CASE("what changes the direction of a line, ends it or stands for nothing is shown as bytes", "[text]") {
  CHECK(printable("a\u202eb\u2066c\u2069") == "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x81\\xa9");
  CHECK(printable("a\u2028b\u2029") == "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9");
  CHECK(printable("\xef\xbf\xbf\xef\xbf\xbe") == "\\xef\\xbf\\xbf\\xef\\xbf\\xbe");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("שלום \u200f🙂") == "שלום \u200f🙂");
}

TEST_CASE("an excerpt is cut between characters and says how many it left out", "[text]") {
  CHECK(excerpt("abc", 3) == "abc");
  CHECK(excerpt("abcd", 3) == "abc... (1 more character)");
  CHECK(excerpt("図図図図", 2) == "図図... (2 more characters)");
  CHECK(excerpt("\x1b\x1b", 1) == "\\x1b... (1 more character)");
  CHECK(excerpt("a\nb") == "a\\x0ab");
  CHECK(excerpt("", 0).empty());
  CHECK(first_character("図x") == "図");
}

TEST_CASE("a name in a picture has a bounded number of whole characters", "[text]") {
  CHECK(shortened("abcdef", 6) == "abcdef");
  CHECK(shortened("abcdefg", 6) == "abc...");
  CHECK(shortened("図図図図図図図", 6) == "図図図...");
  CHECK(shortened("\x1b\x1b", 6) == "\\x1...");
}

TEST_CASE("a message keeps its lines, each of a bounded length, and shows nothing that a terminal obeys", "[text]") {
  CHECK(printable_message("a\nb\x1b[2J\n") == "a\nb\\x1b[2J\n");
  const std::string shown = printable_message("x\n" + std::string(std::size_t{1} << 20, 'y') + "\nz");
  CHECK(shown.substr(0, 4) == "x\nyy");
  CHECK(shown.substr(shown.size() - 34) == "yyy... (1040384 more characters)\nz");
  CHECK(printable_message("a: no such file\nmixop: ok") == "a: no such file\n  mixop: ok");
  CHECK(is_printable(printable("\xff\x80\x1b\xc3(")));
}

TEST_CASE("plain names have letters, digits, dots, bars and dashes alone", "[text]") {
  CHECK(is_plain_name("acme.ghost-conv_3x3"));
  for (const std::string name : {"", "a b", "a'", "a\"", "a/b", "ä", "a\n", "<a>"}) CHECK_FALSE(is_plain_name(name));
  CHECK_FALSE(is_plain_name(std::string(129, 'a')));
}
