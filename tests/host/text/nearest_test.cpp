#include "host/text/nearest.hpp"

#include "host/text/text.hpp"
#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("nearest finds the word that was meant", "[text]") {
  const std::vector<std::string> known = {"space.channels", "space.layers", "weights.lr", "sep_conv_3x3"};
  CHECK(nearest("space.chanels", known) == "space.channels");
  CHECK(nearest("sep_conv_3x", known) == "sep_conv_3x3");
  CHECK(nearest("channels", known) == "space.channels");
}

TEST_CASE("nearest says nothing where nothing is near", "[text]") {
  CHECK(nearest("zzzzzzzzzz", {"space.channels", "seed"}).empty());
  CHECK(nearest("seed", {}).empty());
  CHECK(did_you_mean("zzzzzzzzzz", {"seed"}).empty());
  CHECK(did_you_mean("sead", {"seed"}) == "; did you mean 'seed'?");
}

TEST_CASE("a word is near that a slip of the hand makes, and no other", "[text]") {
  const std::vector<std::string> options = {"--out", "--set", "--seed", "--json", "--data", "--resume"};
  for (const std::string far : {"--gpus", "--cpu", "--verbose", "--help", "--list"}) {
    INFO(far);
    CHECK(nearest(far, options).empty());
  }
  CHECK(nearest("--resmue", options) == "--resume");
  CHECK(nearest("--jsn", options) == "--json");
  CHECK(nearest("--ouput", options).empty());
  CHECK(nearest("chekc", {"check", "list"}) == "check");
  CHECK(nearest("", {"a"}) == "a");
}

TEST_CASE("a word is not near one of which it is many times as long", "[text]") {
  CHECK(nearest(std::string(1000, 'x'), {"AllConv3x3", "x"}).empty());
}

TEST_CASE("nearest bears words of any length", "[text]") {
  CHECK(nearest(std::string(100000, 'a'), {std::string(100001, 'a')}) == std::string(100001, 'a'));
}

TEST_CASE("split and joined undo each other", "[text]") {
  CHECK(split("", ',').empty());
  CHECK(split(" a, b ,", ',') == std::vector<std::string>{"a", "b", ""});
  CHECK(joined({"a", "b", "a"}, ",") == "a,b,a");
  CHECK(joined({}) == "");
}

TEST_CASE("shortest reads back as the same number", "[text]") {
  for (const double value : {0.1, 3e-4, 1.0 / 3, 5.0, -0.0, 1e300}) CHECK(std::stod(shortest(value)) == value);
}
