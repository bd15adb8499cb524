#include "host/data/image_check.hpp"

#include <pthread.h>

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using namespace mixop;

namespace {

/// While it lives, no thread can be started: each would need a stack larger than the address space.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t absurd = before_;
    pthread_attr_setstacksize(&absurd, std::size_t{1} << 50);
    REQUIRE(pthread_setattr_default_np(&absurd) == 0);
  }
  ~NoThreads() { pthread_setattr_default_np(&before_); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

}  // namespace

TEST_CASE("a check names every image that fails, in order, on any number of threads", "[data][check]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.corrupt = {2, 9};
  fake.unreadable = {4};
  const DatasetHandle data = fake.handle();
  const std::int64_t workers = GENERATE(0, 1, 5);
  std::int64_t told = 0, last = -1;
  const auto found = corrupt_images(data, workers, [&](std::int64_t done) { ++told, last = done; });
  REQUIRE(found.size() == 5);
  const std::vector<std::pair<int, std::int64_t>> expected = {{MIXOP_SPLIT_TRAIN, 2},
                                                              {MIXOP_SPLIT_TRAIN, 4},
                                                              {MIXOP_SPLIT_TRAIN, 9},
                                                              {MIXOP_SPLIT_TEST, 2},
                                                              {MIXOP_SPLIT_TEST, 4}};
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::pair(found[i].split, found[i].record) == expected[i]);
  CHECK(found[1].problem == "data set 'fake', split 'train': file 4: no disk");
  CHECK(found[3].problem == "data set 'fake', split 'test': file 2: no image");
  CHECK(fake.decoded == 17);
  CHECK(told == 17);
  CHECK(last == 16);
}

TEST_CASE("a check ends where the plugin itself is broken", "[data][check][misuse]") {
  FakeDataset fake;
  fake.have_many_sizes();
  fake.images_a_call = 2;
  const DatasetHandle data = fake.handle();
  const std::int64_t workers = GENERATE(1, 3);
  const Error error = error_of([&] { (void)corrupt_images(data, workers); });
  CHECK(error.code() == ErrorCode::plugin);
}

TEST_CASE("a check whose threads cannot be started ends at once and says so", "[data][check][misuse]") {
  FakeDataset fake;
  fake.have_many_sizes();
  const DatasetHandle data = fake.handle();
  const NoThreads none;
  const Error error = error_of([&] { (void)corrupt_images(data, 3); });
  CHECK(error.what() ==
        std::string("only 1 of 3 threads that decode can be started: Resource temporarily unavailable"));
  CHECK(error.code() == ErrorCode::failed);
  CHECK(fake.decoded == 0);
}
