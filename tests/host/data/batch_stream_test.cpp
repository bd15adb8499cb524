#include "host/data/batch_stream.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using namespace mixop;

namespace {

constexpr std::int64_t kBatch = 4, kEnd = 9;

/// Batches of an endless walk over twelve records.
std::vector<Sample> samples_at(std::int64_t position) {
  std::vector<Sample> samples;
  for (std::int64_t i = position * kBatch; i < (position + 1) * kBatch; ++i)
    samples.push_back({i * 5 % 12, static_cast<std::uint64_t>(i / 12)});
  return samples;
}

struct Source {
  Source() {
    fake.have_many_sizes();
    data = std::make_unique<DatasetHandle>(fake.handle());
    images = open_images(*data, MIXOP_SPLIT_TRAIN);
    augmentation.jitter = {0.4, 0.4, 0.4, 0.2};
    augmentation.random_crop = data->info().many_sizes->crop;
  }
  BatchStream stream(std::int64_t workers, std::int64_t end = kEnd) {
    return BatchStream(*images, augmentation, samples_at, end, workers);
  }

  FakeDataset fake;
  std::unique_ptr<DatasetHandle> data;
  std::unique_ptr<ImageSource> images;
  Augmentation augmentation;
};

std::vector<float> values(const Source& source, const ImageBatch& batch) {
  const auto count = static_cast<std::int64_t>(batch.targets.size()) * source.images->image_size();
  return {batch.images.get(), batch.images.get() + count};
}

/// A thread that was joined may be listed for a moment yet.
bool no_thread_but_this() {
  const std::filesystem::directory_iterator tasks("/proc/self/task"), end;
  return std::distance(tasks, end) == 1;
}

/// Holds a record back until it is let go, for at most ten seconds.
class Gate {
 public:
  void wait() { opened_.wait_for(std::chrono::seconds(10)); }
  void open() { promise_.set_value(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> opened_ = promise_.get_future().share();
};

/// Until `holds`, for at most ten seconds.
template <class Condition>
bool soon(Condition&& holds) {
  for (int i = 0; i < 10000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return holds();
}

}  // namespace

TEST_CASE("batches do not depend on the workers, and come in order", "[data][stream]") {
  Source source;
  // Records take unlike times, so that they end in another order than they began.
  source.fake.before_decode = [](std::int64_t record) {
    std::this_thread::sleep_for(std::chrono::microseconds(300 * (record % 3)));
  };
  BatchStream plain = source.stream(0);
  std::vector<ImageBatch> expected;
  for (std::int64_t i = 0; i < kEnd; ++i) expected.push_back(plain.at(i));
  for (const std::int64_t workers : {1, 2, 7}) {
    BatchStream stream = source.stream(workers);
    for (std::int64_t i = 0; i < kEnd; ++i) {
      const ImageBatch batch = stream.at(i);
      const ImageBatch& same = expected[static_cast<std::size_t>(i)];
      CHECK(batch.targets == same.targets);
      CHECK(values(source, batch) == values(source, same));
    }
  }
}

TEST_CASE("a stream may be asked for any position", "[data][stream]") {
  Source source;
  BatchStream plain = source.stream(0), stream = source.stream(3);
  for (const std::int64_t position : {0, 1, 5, 6, 2, 2, 8, 0})
    CHECK(values(source, stream.at(position)) == values(source, plain.at(position)));
}

TEST_CASE("workers stay at most two batches ahead", "[data][stream]") {
  Source source;
  BatchStream stream = source.stream(3, 1000);
  (void)stream.at(0);
  REQUIRE(soon([&] { return source.fake.decoded == 3 * kBatch; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(source.fake.decoded == 3 * kBatch);
  (void)stream.at(1);
  CHECK(soon([&] { return source.fake.decoded == 4 * kBatch; }));
}

TEST_CASE("workers do not go beyond the end", "[data][stream]") {
  Source source;
  {
    BatchStream stream = source.stream(3, 2);
    (void)stream.at(0);
    (void)stream.at(1);
  }
  CHECK(source.fake.decoded == 2 * kBatch);
}

TEST_CASE("a consumer that stops early leaves no thread and waits for no batch", "[data][stream]") {
  Source source;
  REQUIRE(soon(no_thread_but_this));
  Gate gate;
  std::atomic<int> held{0};
  const std::set<std::int64_t> first = {0, 5, 10, 3};  // records of the first batch
  source.fake.before_decode = [&](std::int64_t record) {
    if (!first.contains(record)) ++held, gate.wait();
  };
  std::thread opener;
  {
    BatchStream stream = source.stream(2);
    (void)stream.at(0);
    REQUIRE(soon([&] { return held == 2; }));
    opener = std::thread([&] {  // by then the stream ends, on a busy machine as well
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      gate.open();
    });
  }
  opener.join();
  // Both images under way were finished, and none of the six behind them was begun.
  CHECK(source.fake.decoded == kBatch + 2);
  CHECK(soon(no_thread_but_this));
}

TEST_CASE("what a worker throws comes with its batch, and the stream goes on", "[data][stream]") {
  Source source;
  source.fake.corrupt = {8};  // the fifth image: second batch, first in it
  for (const std::int64_t workers : {0, 1, 5}) {
    BatchStream stream = source.stream(workers);
    (void)stream.at(0);
    const Error error = error_of([&] { (void)stream.at(1); });
    CHECK(error.what() == std::string("data set 'fake', split 'train': file 8: no image"));
    CHECK(error.code() == ErrorCode::bad_data);
    CHECK(stream.at(2).targets.size() == kBatch);
    CHECK(error_of([&] { (void)stream.at(1); }).code() == ErrorCode::bad_data);
  }
}

TEST_CASE("of several failures in a batch the first is reported, whichever came first", "[data][stream]") {
  Source source;
  source.fake.corrupt = {0, 10};  // the first and the third of the first batch
  const std::int64_t late = GENERATE(0, 10);
  Gate other_began;
  source.fake.before_decode = [&](std::int64_t record) {
    if (record == 10 - late) return other_began.wait();
    if (record != late) return;
    other_began.open();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  BatchStream stream = source.stream(4, 1);
  CHECK(error_of([&] { (void)stream.at(0); }).what() ==
        std::string("data set 'fake', split 'train': file 0: no image"));
}

TEST_CASE("sets in memory need no threads", "[data][stream]") {
  FakeDataset fake;
  const DatasetHandle data = fake.handle();
  const auto images = open_images(data, MIXOP_SPLIT_TRAIN);
  REQUIRE(soon(no_thread_but_this));
  BatchStream stream(*images, {}, samples_at, kEnd, 5);
  CHECK(no_thread_but_this());
  CHECK(stream.at(3).targets.size() == kBatch);
}

TEST_CASE("batches have the alignment of tensors", "[data][stream]") {
  Source source;
  for (const std::int64_t workers : {0, 2}) {
    BatchStream stream = source.stream(workers);
    for (std::int64_t i = 0; i < kEnd; ++i)
      CHECK(reinterpret_cast<std::uintptr_t>(stream.at(i).images.get()) % FreeAligned::kAlignment == 0);
  }
}

TEST_CASE("a position outside the stream is a usage error", "[data][stream][misuse]") {
  Source source;
  BatchStream stream = source.stream(2);
  CHECK(error_of([&] { (void)stream.at(9); }).what() == std::string("batch 9 of 9"));
  CHECK(error_of([&] { (void)stream.at(-1); }).code() == ErrorCode::usage);
}

TEST_CASE("workers are counted as the config says, or by the cores", "[data][stream]") {
  CHECK(worker_count(0) == 0);
  CHECK(worker_count(13) == 13);
  CHECK(worker_count(-1) >= 1);
  CHECK(worker_count(-1) <= 8);
}
