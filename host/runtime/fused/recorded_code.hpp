#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "host/runtime/fused/maps.hpp"
#include "mixop/operator.hpp"

namespace mixop {

/// One run of code that is run as it is beside the fused operations of a cell, under an autograd graph of its own.
template <class T>
class RecordedCode {
 public:
  using Code = std::function<at::Tensor(const at::Tensor&, const Forward&)>;

  /// Runs it on maps, which must outlive it; `records`: a gradient will be asked for.
  void run(const Code& code, const Maps<T>& x, const Forward& how, bool records);
  /// Whether it has run.
  explicit operator bool() const { return output_.defined(); }
  Maps<T> output() const { return maps_of<T>(output_); }
  /// A tensor for the gradient of the output.
  at::Tensor like_output() const;
  /// The gradients of the parameters that require one, undefined for the others; `of_input` becomes that of the input.
  std::vector<at::Tensor> backward(const at::Tensor& gradient, const std::vector<at::Tensor>& parameters,
                                   at::Tensor& of_input);
  /// Gives the output back, which nobody reads any more.
  void release() { output_.reset(); }

 private:
  at::Tensor leaf_, result_, output_;
};

}  // namespace mixop
