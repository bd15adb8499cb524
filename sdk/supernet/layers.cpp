#include "mixop/supernet/layers.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace mixop::supernet {
namespace {

constexpr std::int64_t kImagenetSide = 128;

bool is_imagenet(const std::string& kind, const ImageShape& input) {
  if (kind == "auto") return std::max(input.height, input.width) >= kImagenetSide;
  if (kind != "cifar" && kind != "imagenet")
    throw Error(ErrorCode::usage, "space.stem: expected auto, cifar or imagenet, found '" + kind + "'");
  return kind == "imagenet";
}

ConvSpec conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return {.in = in, .out = out, .kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1}};
}

constexpr std::int64_t kPool = 5;  // of the auxiliary head

/// Pooling along one axis.
struct Window {
  std::int64_t kernel, stride, padding;
};

/// The published pooling of the auxiliary head, or where it leaves less than the two pixels that follow-up convolution
/// needs, one that leaves two.
Window pooling(std::int64_t side, std::int64_t stride) {
  if (side >= kPool + stride) return {kPool, stride, 0};
  if (side >= 2) return {(side + 1) / 2, side / 2, 0};
  return {2, 1, 1};
}

}  // namespace

void append_state(std::vector<StateEntry>& to, const std::string& prefix, const std::vector<StateEntry>& part) {
  for (const StateEntry& entry : part) to.push_back({prefix + entry.name, entry.tensor, entry.kind});
}

NetworkPart part_of(std::string name, std::string kind, const Chain& chain, const ImageShape& input) {
  NetworkPart part{std::move(name), std::move(kind), input};
  part.output = chain.measure(input, part.own);
  return part;
}

Stem::Stem(const std::string& kind, const ImageShape& input, std::int64_t channels, std::int64_t halvings)
    : first_("stem."), second_("stem1.") {
  if (is_imagenet(kind, input)) {
    first_ = Chain("stem0.");
    first_.conv(conv3x3(input.channels, channels / 2, 2)).batch_norm(channels / 2, true).relu();
    first_.conv(conv3x3(channels / 2, channels, halvings > 2 ? 2 : 1)).batch_norm(channels, true);
    second_.relu().conv(conv3x3(channels, channels, 2)).batch_norm(channels, true);
  } else {
    first_.conv(conv3x3(input.channels, 3 * channels, 1)).batch_norm(3 * channels, true);
  }
  part_ = part_of("stem", "cifar", first_, input);
  older_ = newer_ = part_.output;
  if (reduces()) {
    part_ = {"stem", "imagenet", {}, {}, {part_of("stem0", "older input", first_, input)}};
    part_.layers.push_back(part_of("stem1", "newer input", second_, older_));
    part_.output = newer_ = part_.layers.back().output;
  }
  append_state(state_, "", first_.state());
  append_state(state_, "", second_.state());
}

Stem::States Stem::forward(const at::Tensor& images, const Forward& how) const {
  const at::Tensor older = first_.forward(images, how);
  return {older, second_.forward(older, how)};
}

at::Tensor laid_out(const at::Tensor& images, std::int64_t channels) {
  constexpr std::int64_t kFewest = 16;
  const bool channels_last = images.is_cpu() && images.scalar_type() == at::kFloat && channels >= kFewest;
  return channels_last ? images.contiguous(at::MemoryFormat::ChannelsLast) : images;
}

Chain auxiliary_head(const ImageShape& features, std::int64_t classes, const AuxiliaryHead& kind) {
  const std::int64_t stride = kind.imagenet ? 2 : 3, smallest = kPool + stride;
  if (!kind.fits && std::min(features.height, features.width) < smallest)
    throw Error(ErrorCode::usage, "the auxiliary head needs a feature map of at least " + std::to_string(smallest) +
                                      " pixels a side, found " + std::to_string(features.height) + "x" +
                                      std::to_string(features.width) +
                                      "; build the network without it or for larger images");
  const Window rows = pooling(features.height, stride), columns = pooling(features.width, stride);
  Chain head;
  head.relu().avg_pool({rows.kernel, columns.kernel}, {rows.stride, columns.stride}, {rows.padding, columns.padding});
  head.name("features.2").conv({.in = features.channels, .out = 128});
  head.name("features.3").batch_norm(128, true).relu();
  head.name("features.5").conv({.in = 128, .out = 768, .kernel = {2, 2}});
  if (kind.last_norm) head.name("features.6").batch_norm(768, true);
  Cost ignored;
  const ImageShape end = head.relu().measure(features, ignored);
  head.name("classifier").linear(end.channels * end.height * end.width, classes);
  return head;
}

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, double smoothing) {
  const at::Tensor exact = logits.scalar_type() == at::kBFloat16 ? logits.to(at::kFloat) : logits;
  return at::cross_entropy_loss(exact, target, /*weight=*/{}, at::Reduction::Mean, /*ignore_index=*/-100, smoothing);
}

}  // namespace mixop::supernet
