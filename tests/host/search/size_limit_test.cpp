#include "host/search/size_limit.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("memory beyond a limit is refused before it is touched, and what fits is given", "[search][misuse]") {
  const MachineLimit limit(std::int64_t{3} << 20);
  const at::Tensor first = at::zeros({std::int64_t{2} << 20}, at::kByte);
  CHECK_THROWS_WITH(at::empty({std::int64_t{5} << 20}, at::kByte),
                    "the sizes mean more than 7 MiB, expected at most 3 MiB, half of what this machine has free; "
                    "choose smaller ones");
  CHECK(at::zeros({1000}, at::kByte).numel() == 1000);
}

TEST_CASE("an inner limit stands in the place of an outer one", "[search]") {
  const MachineLimit outer(std::int64_t{1} << 20);
  {
    const AllocationLimit inner(std::int64_t{4} << 20, [](std::int64_t) { FAIL("refused what fits"); });
    CHECK(at::empty({std::int64_t{2} << 20}, at::kByte).numel() > 0);
  }
  CHECK_THROWS_AS(at::empty({std::int64_t{2} << 20}, at::kByte), Error);
}

TEST_CASE("the memory that is free is told", "[search]") {
  CHECK(half_of_free_memory() > (std::int64_t{16} << 20));
  CHECK(half_of_free_memory() < (std::int64_t{1} << 50));
}

}  // namespace
