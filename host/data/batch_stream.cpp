#include "host/data/batch_stream.hpp"

#include <csignal>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace mixop {
namespace {

// Batches that are made while the caller works on one.
constexpr std::int64_t kAhead = 2;
constexpr std::int64_t kMostAutomatic = 8;

ImageBatch empty_batch(const ImageSource& source, std::size_t samples) {
  const std::size_t bytes = samples * static_cast<std::size_t>(source.image_size()) * sizeof(float);
  ImageBatch batch;
  batch.images.reset(static_cast<float*>(::operator new[](bytes, std::align_val_t{FreeAligned::kAlignment})));
  batch.targets.resize(samples);
  return batch;
}

/// Threads that are started while it lives take no signals, which are the main thread's, but for those of a crash of their
/// own: blocked, the kernel would end the process without its report.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&all, crash);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

/// Threads that take samples in order, batch by batch.
class BatchStream::Workers {
 public:
  Workers(const ImageSource& source, const Augmentation& augmentation, std::int64_t count)
      : source_(source), augmentation_(augmentation) {
    const SignalsBlocked blocked;
    try {
      for (std::int64_t i = 0; i < count; ++i)
        threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    } catch (const std::system_error& error) {
      throw Error(ErrorCode::failed, "only " + std::to_string(threads_.size()) + " of " + std::to_string(count) +
                                         " threads of data.workers can be started: " + error.what());
    }
  }

  /// Leaves what is not begun.
  ~Workers() { drop_all(); }

  bool starts_at(std::int64_t position) const { return !jobs_.empty() && jobs_.front()->position == position; }
  std::int64_t next_position() const { return jobs_.back()->position + 1; }
  void drop_all() {
    const std::lock_guard lock(mutex_);
    jobs_.clear();
  }

  void schedule(std::int64_t position, std::vector<Sample> samples) {
    auto job = std::make_shared<Job>();
    job->position = position;
    job->batch = empty_batch(source_, samples.size());
    job->samples = std::move(samples);
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    to_do_.notify_all();
  }

  ImageBatch take_first() {
    std::unique_lock lock(mutex_);
    const std::shared_ptr<Job> job = jobs_.front();
    done_.wait(lock, [&] { return job->taken == job->samples.size() && job->under_way == 0; });
    jobs_.pop_front();
    if (job->failure) std::rethrow_exception(job->failure);
    return std::move(job->batch);
  }

 private:
  struct Job {
    std::int64_t position = 0;
    std::vector<Sample> samples;
    ImageBatch batch;
    std::size_t taken = 0, under_way = 0;
    std::size_t failed_at = 0;
    std::exception_ptr failure;  // of the first sample that failed
  };

  std::shared_ptr<Job> open_job() const {
    for (const auto& job : jobs_)
      if (job->taken < job->samples.size()) return job;
    return nullptr;
  }

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (;;) {
      std::shared_ptr<Job> job;
      if (!to_do_.wait(lock, stop, [&] { return (job = open_job()) != nullptr; })) return;
      const std::size_t at = job->taken++;
      ++job->under_way;
      lock.unlock();
      std::exception_ptr failure;
      try {
        source_.fill_batch({&job->samples[at], 1}, augmentation_,
                           job->batch.images.get() + static_cast<std::int64_t>(at) * source_.image_size(),
                           &job->batch.targets[at]);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      --job->under_way;
      if (failure) {
        // Samples are taken in order, so all before this one are done or under way: the first failure is always known.
        if (!job->failure || at < job->failed_at) job->failure = failure, job->failed_at = at;
        job->taken = job->samples.size();
      }
      if (job->under_way == 0) done_.notify_all();
    }
  }

  const ImageSource& source_;
  const Augmentation augmentation_;
  std::mutex mutex_;
  std::condition_variable_any to_do_, done_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::vector<std::jthread> threads_;  // last: stopped and joined before anything else goes
};

BatchStream::BatchStream(const ImageSource& source, const Augmentation& augmentation, Samples samples, std::int64_t end,
                         std::int64_t workers)
    : source_(source), augmentation_(augmentation), samples_(std::move(samples)), end_(end) {
  if (workers > 0 && source.decodes()) workers_ = std::make_unique<Workers>(source, augmentation, workers);
}

BatchStream::~BatchStream() = default;

ImageBatch BatchStream::at(std::int64_t position) {
  if (position < 0 || position >= end_)
    throw Error(ErrorCode::usage, "batch " + std::to_string(position) + " of " + std::to_string(end_));
  if (workers_ == nullptr) {
    const std::vector<Sample> samples = samples_(position);
    ImageBatch batch = empty_batch(source_, samples.size());
    source_.fill_batch(samples, augmentation_, batch.images.get(), batch.targets.data());
    return batch;
  }
  if (!workers_->starts_at(position)) workers_->drop_all();
  const std::int64_t last = std::min(position + kAhead, end_ - 1);
  for (std::int64_t next = workers_->starts_at(position) ? workers_->next_position() : position; next <= last; ++next)
    workers_->schedule(next, samples_(next));
  return workers_->take_first();
}

std::int64_t worker_count(std::int64_t configured) {
  if (configured >= 0) return configured;
  return std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, kMostAutomatic);
}

}  // namespace mixop
