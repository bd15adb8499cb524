#include "host/data/image_check.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace mixop {
namespace {

/// Every record of a set, handed out once.
class Records {
 public:
  Records(const DatasetHandle& data, const std::function<void(std::int64_t)>& progress)
      : data_(data), progress_(progress) {}

  /// Decodes until nothing is left, or another thread failed in a way that is no image's fault.
  void work() {
    CorruptImage at{};
    while (next(at)) {
      try {
        data_.decode(at.split, at.record, [](std::int32_t, std::int32_t, const std::uint8_t*) {});
      } catch (const Error& error) {
        const bool about_image = error.code() == ErrorCode::bad_data || error.code() == ErrorCode::failed;
        about_image ? add({at.split, at.record, error.what()}) : stop(std::current_exception());
      } catch (...) {
        stop(std::current_exception());
      }
    }
  }

  void stop(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
  }

  std::vector<CorruptImage> result() {
    if (failure_) std::rethrow_exception(failure_);
    std::sort(found_.begin(), found_.end(), [](const CorruptImage& a, const CorruptImage& b) {
      return a.split != b.split ? a.split < b.split : a.record < b.record;
    });
    return std::move(found_);
  }

 private:
  bool next(CorruptImage& at) {
    const std::lock_guard lock(mutex_);
    while (split_ < MIXOP_SPLIT_COUNT && record_ == data_.info().records[static_cast<std::size_t>(split_)])
      ++split_, record_ = 0;
    if (failure_ || split_ == MIXOP_SPLIT_COUNT) return false;
    at.split = split_;
    at.record = record_++;
    if (progress_) progress_(done_++);
    return true;
  }
  void add(CorruptImage image) {
    const std::lock_guard lock(mutex_);
    found_.push_back(std::move(image));
  }

  const DatasetHandle& data_;
  const std::function<void(std::int64_t)>& progress_;
  std::mutex mutex_;
  int split_ = 0;
  std::int64_t record_ = 0, done_ = 0;
  std::vector<CorruptImage> found_;
  std::exception_ptr failure_;
};

}  // namespace

std::vector<CorruptImage> corrupt_images(const DatasetHandle& data, std::int64_t workers,
                                         const std::function<void(std::int64_t)>& progress) {
  Records records(data, progress);
  {
    std::vector<std::jthread> threads;
    try {
      for (std::int64_t i = 1; i < workers; ++i) threads.emplace_back([&] { records.work(); });
    } catch (const std::system_error& error) {
      records.stop(std::make_exception_ptr(
          Error(ErrorCode::failed, "only " + std::to_string(threads.size() + 1) + " of " + std::to_string(workers) +
                                       " threads that decode can be started: " + error.what())));
    }
    records.work();
  }
  return records.result();
}

}  // namespace mixop
