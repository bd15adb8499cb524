#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "host/runtime/fused/cpu/kernels.hpp"
#include "mixop/error.hpp"

namespace mixop::cpu {

namespace generic {
template <class T>
const Kernels<T>& table();
}
#ifdef MIXOP_X86
namespace avx2 {
template <class T>
const Kernels<T>& table();
}
namespace avx512 {
template <class T>
const Kernels<T>& table();
}
#endif

namespace {

struct InstructionSet {
  const char* name;
  bool (*is_there)();
  const Kernels<float>& (*floats)();
  const Kernels<double>& (*doubles)();
};

constexpr InstructionSet kSets[] = {
    {"generic", [] { return true; }, generic::table<float>, generic::table<double>},
#ifdef MIXOP_X86
    {"avx2", [] { return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0; },
     avx2::table<float>, avx2::table<double>},
    {"avx512",
     [] {
       return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
              __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
     },
     avx512::table<float>, avx512::table<double>},
#endif
};

const InstructionSet& set_named(const std::string& name, const std::string& asked_by) {
  for (const InstructionSet& set : kSets)
    if (name == set.name && set.is_there()) return set;
  std::string known;
  for (const std::string& one : instruction_sets()) known += (known.empty() ? "" : ", ") + one;
  throw Error(ErrorCode::usage, asked_by + ": expected an instruction set that this machine has (" + known + "), found '" +
                                    name + "'");
}

const InstructionSet& chosen() {
  static const InstructionSet& set = [] () -> const InstructionSet& {
    const char* forced = std::getenv("MIXOP_ISA");
    const bool asks = forced != nullptr && *forced != '\0';
    return set_named(asks ? forced : instruction_sets().back(), asks ? "MIXOP_ISA" : "the kernels");
  }();
  return set;
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const InstructionSet& set : kSets)
    if (set.is_there()) names.emplace_back(set.name);
  return names;
}

template <>
const Kernels<float>& kernels<float>() {
  return chosen().floats();
}
template <>
const Kernels<double>& kernels<double>() {
  return chosen().doubles();
}
template <>
const Kernels<float>& kernels_of<float>(const std::string& instruction_set) {
  return set_named(instruction_set, "the kernels").floats();
}
template <>
const Kernels<double>& kernels_of<double>(const std::string& instruction_set) {
  return set_named(instruction_set, "the kernels").doubles();
}

template <class T>
std::int64_t Kernels<T>::period(std::int64_t channels) const {
  return std::lcm(lanes, channels);
}
template struct Kernels<float>;
template struct Kernels<double>;

PaddedMap plain_map(std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t period) {
  const std::int64_t row = (width * channels + period - 1) / period * period;
  return {height, width, channels, 0, 0, 1, height, row, row};
}

}  // namespace mixop::cpu
