#pragma once

#include "host/runtime/fused/cpu/kernels.hpp"

// The kernels of the instruction set at hand, each defined in the file of its kind for float and double.

namespace mixop::cpu::MIXOP_ISA {

template <class T>
void pad(const Pad<T>& job);
template <class T>
void unpad(const Unpad<T>& job);
template <class T>
void depthwise(const Depthwise<T>& job);
template <class T>
void depthwise_scatter(const DepthwiseScatter<T>& job);
template <class T>
void depthwise_weights(const DepthwiseWeights<T>& job);
template <class T>
void convolve(const Convolve<T>& job);
template <class T>
void convolve_weights(const ConvolveWeights<T>& job);
template <class T>
void combine(const Combine<T>& job);
template <class T>
void dot(const Dot<T>& job);
template <class T>
void max_pool(const MaxPool<T>& job);
template <class T>
void max_pool_scatter(const MaxPoolScatter<T>& job);
template <class T>
void highway(const Highway<T>& job);
template <class T>
void highway_back(const HighwayBack<T>& job);

}  // namespace mixop::cpu::MIXOP_ISA
