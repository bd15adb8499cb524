#include "host/cli/progress.hpp"

#include <iostream>
#include <sstream>

#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;

/// What a piece of code writes to stderr.
template <class Body>
std::string written(Body body) {
  std::ostringstream captured;
  std::streambuf* const kept = std::cerr.rdbuf(captured.rdbuf());
  body();
  std::cerr.rdbuf(kept);
  return captured.str();
}

SearchPosition first_of_three() {
  SearchPosition at;
  at.epochs = 3;
  return at;
}

TEST_CASE("times are shown as minutes and seconds, with hours where there are any", "[cli]") {
  CHECK(cli::clock_text(0.4) == "00:00");
  CHECK(cli::clock_text(61) == "01:01");
  CHECK(cli::clock_text(3 * 3600 + 125) == "3:02:05");
}

TEST_CASE("without a terminal the first step and every epoch are whole lines", "[cli]") {
  cli::Progress progress(/*terminal=*/false);
  const std::string lines = written([&] {
    progress.step(first_of_three(), 1, 2, 2.3, {{"train_accuracy", 12.5}}, task_of(Domain::image));
    progress.step(first_of_three(), 2, 2, 2.2, {{"train_accuracy", 18.75}}, task_of(Domain::image));
    progress.epoch({1, 3, 2},
                   {{"train_loss", 2.25}, {"train_accuracy", 18.75}, {"valid_loss", 2.1}, {"valid_accuracy", 20}},
                   task_of(Domain::image));
  });
  CHECK_THAT(lines, Contains("epoch 1/3  step 1/2  loss 2.3000  accuracy 12.50 %"));
  CHECK_THAT(
      lines,
      Contains("epoch 1/3  train loss 2.2500  train accuracy 18.75 %  valid loss 2.1000  valid accuracy 20.00 %"));
  CHECK_THAT(lines, !Contains("step 2/2") && !Contains("\r"));
}

TEST_CASE("on a terminal the last step of an epoch fills the bar", "[cli]") {
  cli::Progress progress(/*terminal=*/true);
  CHECK_THAT(
      written([&] {
        progress.step(first_of_three(), 2, 2, 2.2, {{"train_perplexity", 123.456789}}, task_of(Domain::recurrent));
      }),
      Contains("\r") && Contains("[########################] step 2/2  loss 2.2000  perplexity 123.457"));
}

}  // namespace
