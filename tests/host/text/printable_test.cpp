#include "host/text/printable.hpp"

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

TEST_CASE("an excerpt is cut between characters", "[text]") {
  CHECK(excerpt("abc", 3) == "abc");
  CHECK(excerpt("abcd", 3) == "abc...");
  CHECK(excerpt("図図図", 2) == "図図...");
  CHECK(excerpt("\x1b\x1b", 1) == "\\x1b...");
  CHECK(excerpt("", 0).empty());
  CHECK(first_character("図x") == "図");
}

TEST_CASE("plain names have letters, digits, dots, bars and dashes alone", "[text]") {
  CHECK(is_plain_name("acme.ghost-conv_3x3"));
  for (const std::string name : {"", "a b", "a'", "a\"", "a/b", "ä", "a\n", "<a>"}) CHECK_FALSE(is_plain_name(name));
  CHECK_FALSE(is_plain_name(std::string(129, 'a')));
}
