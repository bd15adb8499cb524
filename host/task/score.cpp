#include "host/task/score.hpp"

#include <ATen/ATen.h>

#include "host/loop/epoch_loop.hpp"

namespace mixop {

void Score::add(const at::Tensor& logits, const at::Tensor& target, Confusion* confusion) {
  const at::Tensor scores = logits.detach().to(at::kCPU, at::kDouble), classes = target.to(at::kCPU).view({-1, 1});
  const at::Tensor own = scores.gather(1, classes), numbers = at::arange(scores.size(1)).view({1, -1});
  const at::Tensor ahead = scores.gt(own).logical_or(scores.eq(own).logical_and(numbers.lt(classes)));
  const at::Tensor rank = ahead.sum(1);
  loss_ -= scores.log_softmax(1).gather(1, classes).sum().item<double>();
  first_ += rank.eq(0).sum().item<std::int64_t>();
  among_five_ += rank.lt(5).sum().item<std::int64_t>();
  samples_ += target.size(0);
  if (confusion == nullptr) return;
  const at::Tensor best = numbers.masked_fill(scores.lt(scores.amax(1, /*keepdim=*/true)), scores.size(1)).amin(1);
  const at::Tensor own_classes = classes.contiguous();
  for (std::int64_t i = 0; i < target.size(0); ++i)
    confusion->add(own_classes.const_data_ptr<std::int64_t>()[i], best.const_data_ptr<std::int64_t>()[i]);
}

void Score::add_words(double mean_loss, std::int64_t words) {
  loss_ += mean_loss * static_cast<double>(words);
  samples_ += words;
}

double Score::perplexity() const { return perplexity_of(loss()); }

}  // namespace mixop
