#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "host/task/confusion.hpp"

namespace mixop {

/// How well a network classifies images or predicts words. It does not depend on how the samples come in batches, but
/// for the rounding of the network's own outputs.
class Score {
 public:
  /// Images: `logits` [N, classes], finite, `target` int64 [N]. Counts in `confusion` what each was taken for.
  void add(const at::Tensor& logits, const at::Tensor& target, Confusion* confusion = nullptr);
  /// Words: their mean loss in natural logarithms.
  void add_words(double mean_loss, std::int64_t words);

  /// Images, or words predicted.
  std::int64_t samples() const { return samples_; }
  /// Mean cross entropy in natural logarithms.
  double loss() const { return loss_ / static_cast<double>(samples_); }
  /// exp(loss), at most the largest double.
  double perplexity() const;
  /// Percent of the samples whose target has the largest logit, or one of the five largest (all of them where there are
  /// fewer classes). Among equal logits the class of the lower number comes first.
  double top1() const { return percent(first_); }
  double top5() const { return percent(among_five_); }

 private:
  double percent(std::int64_t count) const {
    return 100.0 * static_cast<double>(count) / static_cast<double>(samples_);
  }

  double loss_ = 0;
  std::int64_t first_ = 0, among_five_ = 0, samples_ = 0;
};

}  // namespace mixop
