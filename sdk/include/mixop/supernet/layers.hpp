#pragma once

#include <string>
#include <vector>

#include "mixop/chain.hpp"
#include "mixop/network.hpp"

namespace mixop::supernet {

/// Appends the entries of a part under `prefix`.
void append_state(std::vector<StateEntry>& to, const std::string& prefix, const std::vector<StateEntry>& part);

/// A chain as a part of a network, for an input of that shape.
NetworkPart part_of(std::string name, std::string kind, const Chain& chain, const ImageShape& input);

/// The layers before the first cell, for 3-channel or any other images. `channels` is that of the first cells.
class Stem {
 public:
  /// `kind` is "cifar" (one 3x3 convolution to 3 x channels; feeds both inputs of the first cell), "imagenet" (three
  /// halvings in two stems to `channels`; the first cell halves its older input), or "auto": imagenet where the longer
  /// side has 128 pixels or more. With `halvings` 2 the second convolution of the ImageNet stems has stride 1.
  Stem(const std::string& kind, const ImageShape& input, std::int64_t channels, std::int64_t halvings = 3);

  struct States {
    at::Tensor older, newer;
  };
  States forward(const at::Tensor& images, const Forward& how) const;
  const std::vector<StateEntry>& state() const { return state_; }
  /// Shapes of both outputs.
  const ImageShape& older() const { return older_; }
  const ImageShape& newer() const { return newer_; }
  /// Whether the newer output has half the resolution of the older one.
  bool reduces() const { return !second_.state().empty(); }
  const NetworkPart& part() const { return part_; }

 private:
  Chain first_, second_;
  std::vector<StateEntry> state_;
  ImageShape older_, newer_;
  NetworkPart part_;
};

/// The images in the memory layout that LibTorch's kernels run fastest in, which all that follows inherits: channels
/// last for float32 on a CPU from 16 channels of the first cells on; below, depthwise convolutions are many times
/// slower in it.
at::Tensor laid_out(const at::Tensor& images, std::int64_t channels);

struct AuxiliaryHead {
  bool imagenet = false;  ///< pooling of stride 2 instead of 3
  bool last_norm = true;  ///< whether a norm follows the last convolution; none does in DARTS on ImageNet
  bool fits = false;      ///< maps too small for the pooling are pooled to 2x2 pixels instead of refused
};

/// The auxiliary classifier of DARTS on a feature map. Throws a usage error where the map is too small for it.
Chain auxiliary_head(const ImageShape& features, std::int64_t classes, const AuxiliaryHead& kind);

/// Mean cross entropy in natural logarithms. `target` is int64 [N]; with smoothing the wanted distribution is
/// (1 - smoothing) * onehot + smoothing / classes (Szegedy et al. 2016, section 7).
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, double smoothing = 0);

}  // namespace mixop::supernet
