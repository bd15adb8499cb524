#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Loops over one image each, channels last (Height, Width, Channel), for float and double, compiled once for each
// instruction set. They know numbers and strides only: no LibTorch, no threads, no memory of their own.
//
// A *period* is the least multiple of the vector length that is a multiple of the channels: what belongs to a channel
// (weights of a depthwise convolution, a norm's scale) is repeated up to it, so that rows of pixels are read as one run
// of numbers, whatever the number of channels.
//
// Maps named *scratch* may be read, and written, up to a period and kSlack numbers behind their end; all others are read
// and written exactly.

namespace mixop::cpu {

constexpr std::int64_t kSlack = 64;

/// A copy of an image with a border, its columns sorted by their remainder modulo `stride` so that a window that steps
/// by `stride` reads neighbours: row r, remainder p, column q of it, channel c lies at
/// r * row + p * phase + q * channels + c.
struct PaddedMap {
  std::int64_t height = 0, width = 0, channels = 0;  ///< of the image
  std::int64_t top = 0, left = 0;                    ///< of the border
  std::int64_t stride = 1;
  std::int64_t rows = 0;   ///< with the border
  std::int64_t phase = 0;  ///< numbers
  std::int64_t row = 0;    ///< numbers

  std::int64_t numbers() const { return rows * row; }
  /// Where the window's place (i, j) lies seen from its first pixel.
  std::int64_t offset(std::int64_t i, std::int64_t j) const {
    return i * row + j % stride * phase + j / stride * channels;
  }
  friend bool operator==(const PaddedMap&, const PaddedMap&) = default;
};

/// Rows of an image without a border, each of a multiple of `period` numbers.
PaddedMap plain_map(std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t period);

template <class T>
struct Affine {
  const T* scale = nullptr;  ///< [period]; null, as the shift then is: none
  const T* shift = nullptr;  ///< [period]
  bool relu = false;
};

/// out = relu(scale * x + shift), `border` around it.
template <class T>
struct Pad {
  PaddedMap map;
  std::int64_t period;
  Affine<T> affine;
  T border;
  const T* x;
  T* out;  ///< scratch
};

/// out[i] (+)= sum over taps of weights[tap][i % period] * x[offset[tap] + i] over the rows of a scratch map.
template <class T>
struct Depthwise {
  std::int64_t rows, row_x, row_out, period;  ///< row_out: a multiple of period, all of it is written
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* weights;  ///< [taps][period]
  bool accumulate;
  const T* x;  ///< scratch
  T* out;      ///< scratch
};

/// x[offset[tap] + i] += weights[tap][i % period] * d[i], for the `numbers` first of each row.
template <class T>
struct DepthwiseScatter {
  std::int64_t rows, row_x, row_d, numbers, period;
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* weights;
  const T* d;  ///< scratch
  T* x;        ///< scratch
};

/// out[tap][i % period] += sum over rows of x[offset[tap] + i] * d[i], for the `numbers` first of each row.
template <class T>
struct DepthwiseWeights {
  std::int64_t rows, row_x, row_d, numbers, period;
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* x;  ///< scratch
  const T* d;  ///< scratch
  T* out;      ///< [taps][period]
};

/// out[pixel][o] = sum over taps and i of weights[tap][i][o] * x[offset[tap] + pixel * pixel_x + i].
template <class T>
struct Convolve {
  std::int64_t rows, width;  ///< of the output
  std::int64_t row_x, pixel_x, row_out, pixel_out;
  std::int64_t in, out_channels;
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* weights;  ///< [taps][in][out_channels rounded up to the vector length]
  bool accumulate;
  const T* x;  ///< scratch
  T* out;
};

/// out[tap][i][o] += sum over pixels of x[offset[tap] + pixel * pixel_x + i] * d[pixel][o], rounded up as weights are.
template <class T>
struct ConvolveWeights {
  std::int64_t rows, width;
  std::int64_t row_x, pixel_x, row_d, pixel_d;
  std::int64_t in, out_channels;
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* x;  ///< scratch
  const T* d;  ///< scratch
  T* out;
};

/// out = sum over terms of scale[term][i % period] * x[term][i], + shift[i % period] where given, + out where wanted.
template <class T>
struct Combine {
  std::int64_t numbers, period, terms;
  const T* const* x;
  const T* const* scales;  ///< of each term [period]
  const T* shift;          ///< [period] or null
  bool accumulate;
  T* out;
};

/// Per channel over the image: sum of d (where wanted) and of d * x, in double; overwritten.
template <class T>
struct Dot {
  std::int64_t numbers, channels, period;
  const T* d;
  const T* x;
  double* sum;  ///< [channels] or null: sum of d
  double* dot;  ///< [channels]
};

/// out (+)= d where scale * x + shift > 0 or `relu` is not set, 0 elsewhere; `d` in the places of `map`.
template <class T>
struct Unpad {
  PaddedMap map;
  std::int64_t period;
  Affine<T> affine;
  bool accumulate;
  const T* d;  ///< scratch
  const T* x;
  T* out;
};

template <class T>
struct MaxPool {
  std::int64_t rows, numbers, row_x, row_out;  ///< row_out: numbers of a row of the output
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* x;  ///< scratch, with a border of -infinity
  T* out;
  std::uint8_t* from;  ///< the first tap that has the largest value
};

/// x[offset[from[i]] + i] += d[i]
template <class T>
struct MaxPoolScatter {
  std::int64_t rows, numbers, row_x, row_d;
  std::int64_t taps;
  const std::int64_t* offsets;
  const T* d;
  const std::uint8_t* from;
  T* x;  ///< scratch
};

constexpr std::int64_t kMostActivations = 8;
enum class Activation : std::uint8_t { identity, relu, tanh, sigmoid };

/// What one source gives to a node of a recurrent cell, of its state s, the gate c = sigmoid(product[row][i]) and the
/// candidate h = product[row][width + i]:
/// out (+)= sum over k of weights[k] * (s + c * (f_k(h) - s)).
template <class T>
struct Highway {
  std::int64_t rows, width, activations;
  const Activation* kinds;  ///< [activations]
  const T* weights;         ///< [activations]
  const T* states;          ///< [rows][width]
  const T* product;         ///< [rows][2 * width]
  bool accumulate;
  T* out;  ///< [rows][width]
};

/// Its gradients from `d`, that of `out`, for at most kMostActivations. Those of the weights are summed in double after a few
/// numbers.
template <class T>
struct HighwayBack {
  std::int64_t rows, width, activations;
  const Activation* kinds;
  const T* weights;
  const T* states;
  const T* product;
  const T* d;
  T* d_states;
  T* d_product;
  double* d_weights;  ///< [activations], overwritten
};

/// The kernels of one instruction set.
template <class T>
struct Kernels {
  const char* name;
  std::int64_t lanes;
  void (*pad)(const Pad<T>&);
  void (*depthwise)(const Depthwise<T>&);
  void (*depthwise_scatter)(const DepthwiseScatter<T>&);
  void (*depthwise_weights)(const DepthwiseWeights<T>&);
  void (*convolve)(const Convolve<T>&);
  void (*convolve_weights)(const ConvolveWeights<T>&);
  void (*combine)(const Combine<T>&);
  void (*dot)(const Dot<T>&);
  void (*unpad)(const Unpad<T>&);
  void (*max_pool)(const MaxPool<T>&);
  void (*max_pool_scatter)(const MaxPoolScatter<T>&);
  void (*highway)(const Highway<T>&);
  void (*highway_back)(const HighwayBack<T>&);

  std::int64_t rounded(std::int64_t channels) const { return (channels + lanes - 1) / lanes * lanes; }
  std::int64_t period(std::int64_t channels) const;
};

/// "generic", "avx2", "avx512": those that this program has and this machine runs, best last.
std::vector<std::string> instruction_sets();

/// The best set, or that of the environment variable MIXOP_ISA. Throws `usage` where the machine does not have it.
template <class T>
const Kernels<T>& kernels();

/// Those of one set, by name.
template <class T>
const Kernels<T>& kernels_of(const std::string& instruction_set);

}  // namespace mixop::cpu
