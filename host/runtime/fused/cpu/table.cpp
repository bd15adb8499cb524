#include "host/runtime/fused/cpu/isa.hpp"
#include "host/runtime/fused/cpu/simd.hpp"

#define MIXOP_TEXT_OF(name) #name
#define MIXOP_TEXT(name) MIXOP_TEXT_OF(name)

namespace mixop::cpu::MIXOP_ISA {

template <class T>
const Kernels<T>& table() {
  static constexpr Kernels<T> kTable = {
      MIXOP_TEXT(MIXOP_ISA), kLanes<T>,      pad<T>, depthwise<T>, depthwise_scatter<T>, depthwise_weights<T>, convolve<T>,
      convolve_weights<T>,   combine<T>,     dot<T>, unpad<T>,     max_pool<T>,          max_pool_scatter<T>,
      highway<T>,            highway_back<T>};
  return kTable;
}
template const Kernels<float>& table();
template const Kernels<double>& table();

}  // namespace mixop::cpu::MIXOP_ISA
