#include "host/runtime/threads.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using namespace mixop;

TEST_CASE("ranges are divided among as many threads as LibTorch has", "[runtime]") {
  const int before = at::get_num_threads();
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    std::mutex one_at_a_time;
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    std::set<std::thread::id> ids;
    for_ranges(10, 1, [&](std::int64_t begin, std::int64_t end) {
      const std::lock_guard lock(one_at_a_time);
      ranges.emplace_back(begin, end);
      ids.insert(std::this_thread::get_id());
    });
    std::sort(ranges.begin(), ranges.end());
    CHECK(ids.size() == static_cast<std::size_t>(threads));
    using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
    CHECK(ranges == (threads == 1 ? Ranges{{0, 10}} : Ranges{{0, 4}, {4, 8}, {8, 10}}));
  }
  at::set_num_threads(before);
}

TEST_CASE("a few values are one range, and none are none", "[runtime]") {
  int calls = 0;
  for_ranges(5, 8, [&](std::int64_t begin, std::int64_t end) { calls += begin == 0 && end == 5 ? 1 : 100; });
  CHECK(calls == 1);
  for_ranges(0, 1, [&](std::int64_t, std::int64_t) { ++calls; });
  CHECK(calls == 1);
}
