#pragma once

#include <cstdint>
#include <vector>

namespace mixop {

/// How often the samples of each class were taken for each class.
class Confusion {
 public:
  explicit Confusion(std::int64_t classes)
      : classes_(classes), counts_(static_cast<std::size_t>(classes * classes), 0) {}

  void add(std::int64_t target, std::int64_t predicted) { ++counts_[index(target, predicted)]; }
  std::int64_t classes() const { return classes_; }
  std::int64_t count(std::int64_t target, std::int64_t predicted) const { return counts_[index(target, predicted)]; }
  /// Samples of a class.
  std::int64_t samples(std::int64_t target) const;
  /// Percent of a class's samples that were taken for it; none (NaN) without samples.
  double accuracy(std::int64_t target) const;

 private:
  std::size_t index(std::int64_t target, std::int64_t predicted) const {
    return static_cast<std::size_t>(target * classes_ + predicted);
  }

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

}  // namespace mixop
