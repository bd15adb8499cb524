#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "host/json/json.hpp"
#include "tests/catch.hpp"

using namespace mixop;

namespace {

/// Numbers that readers get wrong, the same ones in every run.
class HardNumbers {
 public:
  std::string next() {
    switch (below(6)) {
      case 0:
        return midpoint(1 + below(40));
      case 1:
        return below(300) == 0 ? midpoint(1100) : sign() + digits(1 + below(25)) + exponent(330);
      case 2:
        return sign() + "0." + std::string(below(400), '0') + digits(1 + below(30)) + exponent(700);
      case 3:
        return sign() + digits(1 + below(30)) + std::string(below(350), '0') + fraction(10) + exponent(700);
      case 4:
        return sign() + digits(17 + below(4)) + fraction(20) + exponent(30);
      default:
        return sign() + "0." + std::string(1 + below(60), '0') +
               (below(2) == 0 ? "" : "0e" + std::to_string(below(1000)));
    }
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  std::string sign() { return below(2) == 0 ? "" : "-"; }
  /// As many, the first of which is not 0.
  std::string digits(std::size_t count) {
    std::string text(1, static_cast<char>('1' + below(9)));
    for (std::size_t i = 1; i < count; ++i) text += static_cast<char>('0' + below(10));
    return text;
  }
  std::string fraction(std::size_t most) {
    std::string text = ".";
    for (std::size_t count = 1 + below(most); count > 0; --count) text += static_cast<char>('0' + below(10));
    return below(2) == 0 ? text : "";
  }
  std::string exponent(std::size_t most) {
    constexpr const char* kMarks[] = {"", "e", "E+", "e-", "E-0"};
    const std::string mark = kMarks[below(5)];
    return mark.empty() ? "" : mark + std::to_string(below(most));
  }
  /// What lies half-way between two neighbouring doubles of any size, or beside it, to so many digits.
  std::string midpoint(std::size_t digits) {
    const bool tiny = below(8) == 0;  // subnormal
    const double low = std::bit_cast<double>((tiny ? random_() >> (12 + below(50)) : random_() >> 1));
    const double high = std::nextafter(low, INFINITY);
    if (!std::isfinite(high)) return "1.7976931348623158e308";
    const long double middle = (static_cast<long double>(low) + static_cast<long double>(high)) / 2;
    char text[1200];
    std::snprintf(text, sizeof text, "%.*Le", static_cast<int>(digits), middle);
    std::string number = text;
    if (below(3) == 0) number[number.find('e') - 1] = static_cast<char>('0' + below(10));
    return sign() + number;
  }

  std::mt19937_64 random_{20261127};
};

std::string problem(const std::string& number) {
  try {
    (void)parse_json(number, "f", ErrorCode::usage);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// The first of a list's numbers that is read as another one than strtod reads, or nothing.
std::string misread(const std::vector<std::string>& numbers, const std::string& json) {
  const JsonValue list = parse_json(json, "f", ErrorCode::usage);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (std::bit_cast<std::uint64_t>(list.items[i].number) !=
        std::bit_cast<std::uint64_t>(std::strtod(numbers[i].c_str(), nullptr)))
      return numbers[i];
  return "";
}

}  // namespace

TEST_CASE("a million hard numbers are read as strtod reads them", "[json]") {
  HardNumbers hard;
  std::size_t refused = 0;
  for (int list = 0; list < 1000; ++list) {
    std::vector<std::string> numbers;
    std::string json = "[";
    for (int i = 0; i < 1000; ++i) {
      std::string number = hard.next();
      if (std::isinf(std::strtod(number.c_str(), nullptr))) {
        INFO(number);
        REQUIRE(problem(number).find(" is too large; the largest is 1.7976931348623157e308") != std::string::npos);
        ++refused;
        continue;
      }
      json += (numbers.empty() ? "" : ",") + number;
      numbers.push_back(std::move(number));
    }
    REQUIRE(misread(numbers, json + "]") == "");
  }
  CHECK(refused > 1000);
}

TEST_CASE("numbers of many digits are what they are", "[json]") {
  for (const int zeros : {18, 19, 20, 22, 25, 26, 30, 40, 350, 100000})
    CHECK(parse_json("0." + std::string(static_cast<std::size_t>(zeros), '0'), "f", ErrorCode::usage).number == 0);
  for (const char* zero :
       {"0e23", "0e50", "0.0e300", "0e400", "0e99999999999999999999", "1e-400", "1e-99999999999999999999"})
    CHECK(parse_json(zero, "f", ErrorCode::usage).number == 0);
  CHECK(std::signbit(parse_json("-1e-400", "f", ErrorCode::usage).number));
  CHECK(parse_json("1" + std::string(400, '0') + "e-400", "f", ErrorCode::usage).number == 1);
  CHECK(parse_json("0." + std::string(400, '0') + "1e401", "f", ErrorCode::usage).number == 1);
  CHECK(parse_json("5e-324", "f", ErrorCode::usage).number == 5e-324);
}

TEST_CASE("a number that no double holds is refused with its place and its beginning", "[json][misuse]") {
  CHECK(problem("[1,\n 1e400]") == "f:2:2: the number 1e400 is too large; the largest is 1.7976931348623157e308");
  CHECK(problem("-1e99999999999999999999").find("f:1:1: the number -1e99999999999999999999 is too large") == 0);
  CHECK(problem(std::string(100000, '9')).size() < 200);
}

TEST_CASE("what is no JSON number is refused where it stops being one", "[json][misuse]") {
  for (const char* text : {"01",   "-",     "--5",    "+5",  ".5",       "1.",   "1.e5",  "1e",    "1e+",
                           "1ee5", "1.5.5", "5-3",    "-.5", "-01",      "0x10", "1_000", "1e5.5", "- 5",
                           "1 2",  "[1,-]", "[1.5e]", "1,5", "Infinity", "-NaN", "tru1",  "1\\",   "\\1"}) {
    INFO(text);
    CHECK(problem(text).find("malformed JSON") != std::string::npos);
  }
  CHECK(problem("[10, 01]") == "f:1:7: malformed JSON: Missing a comma or ']' after an array element.");
}

TEST_CASE("digits in texts and keys stay", "[json]") {
  const JsonValue read =
      parse_json(R"({"k 12.5e3": "a\"1e5\\", "12": 7, "b\\": "-0.00 \u0031"})", "f", ErrorCode::usage);
  CHECK(read.find("k 12.5e3")->text == "a\"1e5\\");
  CHECK(read.find("12")->integer == 7);
  CHECK(read.find("b\\")->text == "-0.00 1");
}
