#include "host/task/task.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

const Task& images() { return task_of(Domain::image); }
const Task& text() { return task_of(Domain::recurrent); }

}  // namespace

TEST_CASE("the task is known by the kind of data, by the domain and by what a network was trained on", "[task]") {
  CHECK(&task_of(MIXOP_DATA_IMAGES) == &images());
  CHECK(&task_of(MIXOP_DATA_TEXT) == &text());
  CHECK(&task_of(NetworkData{{3, 32, 32}, 10, ""}) == &images());
  CHECK(&task_of(NetworkData{{}, 10000, ""}) == &text());
}

TEST_CASE("each task measures figures of its own", "[task]") {
  const EpochSums sums{8, 3, 4};
  CHECK(images().means(sums, "train") == Metrics{{"train_loss", 2.0}, {"train_accuracy", 75.0}});
  CHECK(text().means(sums, "valid") == Metrics{{"valid_loss", 2.0}, {"valid_perplexity", std::exp(2.0)}});
  Score score;
  score.add(at::tensor({1.0, 0.0, 0.0, 1.0}).view({2, 2}), at::tensor({0, 0}, at::kLong));
  const Metrics measured = metrics(images(), score, "test");
  CHECK(measured.at("test_top1") == 50);
  CHECK(measured.at("test_top5") == 100);
  CHECK(metrics(images(), score, "test").size() == 3);
  CHECK(metrics(text(), score, "test").count("test_perplexity") == 1);
}

TEST_CASE("people read an epoch's metrics in one order, whatever was measured", "[task]") {
  CHECK(images().epoch_text({{"train_loss", 2.25}, {"valid_top1", 43.1}, {"test_loss", 1}, {"test_top5", 90.1}}) ==
        "  train loss 2.2500  valid top-1 43.10 %  test loss 1.0000  top-5 90.10 %");
  CHECK(text().epoch_text({{"valid_perplexity", 99.5}, {"train_loss", 4.5}}) ==
        "  train loss 4.5000  valid perplexity 99.5");
  CHECK(figure_text("valid_top1", 43.1) == "valid top-1: 43.10 %");
  CHECK(figure_text("valid_perplexity", 99.512) == "valid perplexity: 99.51");
  CHECK(figure_text("learning_rate", 1).empty());
}

TEST_CASE("drawn batches have a task's shape and take nothing from the generator that runs archive", "[task]") {
  at::manual_seed(7);
  const at::Tensor expected = at::rand({3});
  at::manual_seed(7);
  const Batch image = images().drawn_batch({3, 4, 5}, 9, 2, at::kDouble, at::kCPU);
  CHECK(image.input.sizes() == at::IntArrayRef({2, 3, 4, 5}));
  CHECK(image.input.scalar_type() == at::kDouble);
  CHECK_FALSE(at::equal(image.input[0], image.input[1]));
  const Batch words = text().drawn_batch({}, 9, 2, at::kDouble, at::kCPU);
  CHECK(words.input.sizes() == at::IntArrayRef({9, 2}));
  CHECK(at::equal(at::rand({3}), expected));
}

TEST_CASE("text alone carries a state, of the shape of its columns", "[task]") {
  CHECK_FALSE(images().carried_state(4, 8, at::kDouble).defined());
  CHECK(text().carried_state(4, 8, at::kDouble).sizes() == at::IntArrayRef({4, 8}));
}
