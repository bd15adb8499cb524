#include "host/task/confusion.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "host/task/score.hpp"
#include "host/train/confusion_picture.hpp"
#include "mixop/utf8.hpp"
#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("a confusion counts what each class was taken for", "[train]") {
  Confusion confusion(3);
  confusion.add(0, 0);
  confusion.add(0, 2);
  confusion.add(0, 2);
  confusion.add(1, 1);
  CHECK(confusion.count(0, 2) == 2);
  CHECK(confusion.samples(0) == 3);
  CHECK(confusion.accuracy(0) == Approx(100.0 / 3));
  CHECK(confusion.accuracy(1) == 100);
  CHECK(std::isnan(confusion.accuracy(2)));
}

TEST_CASE("a score says which class had the largest logit, of equal ones the lower number", "[train]") {
  const at::Tensor logits = at::tensor({0.0, 3.0, 3.0, 1.0, 0.0, 5.0}).view({2, 3});
  Confusion confusion(3);
  Score score;
  score.add(logits, at::tensor(std::vector<std::int64_t>{2, 2}, at::kLong), &confusion);
  CHECK(confusion.count(2, 1) == 1);
  CHECK(confusion.count(2, 2) == 1);
  CHECK(score.top1() == confusion.accuracy(2));
}

TEST_CASE("the picture has a cell for each count, names without markup, and the accuracy", "[train]") {
  Confusion confusion(2);
  confusion.add(0, 0);
  confusion.add(1, 0);
  confusion.add(1, 1);
  confusion.add(1, 1);
  const std::string svg = confusion_svg(confusion, {"a<b & c", "a name that is far too long to be written whole"});
  CHECK(svg.find("a&lt;b &amp; c") != std::string::npos);
  CHECK(svg.find("a<b") == std::string::npos);
  CHECK(svg.find("a name that is far to...") != std::string::npos);
  CHECK(svg.find("75.00 % of 4 samples right") != std::string::npos);
  CHECK(svg.find("fill=\"#084081\"") != std::string::npos);  // all of the first class
  for (const char* count : {">1</text>", ">2</text>"}) CHECK(svg.find(count) != std::string::npos);
}

TEST_CASE("names of any bytes leave the picture whole", "[train]") {
  Confusion confusion(3);
  std::string wide;
  for (int i = 0; i < 30; ++i) wide += "図";
  const std::string svg = confusion_svg(confusion, {wide, "a\x1b\x01\xff", "</text><script>"});
  std::string cut;
  for (int i = 0; i < 21; ++i) cut += "図";
  CHECK(svg.find(">" + cut + "...</text>") != std::string::npos);
  CHECK(svg.find("a\\x1b\\x01\\xff") != std::string::npos);
  CHECK(svg.find("&lt;/text&gt;&lt;script&gt;") != std::string::npos);
  CHECK(is_printable(svg.substr(0, svg.find('\n'))));
  CHECK(svg.find('\xff') == std::string::npos);
}

TEST_CASE("the picture of many classes stays small", "[train]") {
  Confusion confusion(1000);
  for (int i = 0; i < 1000; ++i) confusion.add(i, (i * 7) % 1000);
  const std::string svg = confusion_svg(confusion, std::vector<std::string>(1000, "class"));
  CHECK(svg.size() < 200'000);
  CHECK(svg.find("width=\"2124\"") != std::string::npos);
}
