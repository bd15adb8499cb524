#include "dropout.hpp"

#include <ATen/ATen.h>

#include <vector>

#include "mixop/random.hpp"

namespace mixop::darts_rnn {

Dropouts Dropouts::of(const Options& options) {
  const auto probability = [&](const char* name) {
    const double value = options.real(name);
    if (!(value >= 0 && value < 1))
      throw Error(ErrorCode::usage, std::string("darts_rnn.") + name +
                                        ": expected a probability from 0 to below 1, found " + options.text(name));
    return value;
  };
  return {probability("dropout"), probability("dropouth"), probability("dropoutx"), probability("dropouti"),
          probability("dropoute")};
}

at::Tensor dropout_mask(at::IntArrayRef shape, double probability, std::uint64_t key, const at::Tensor& like) {
  if (probability == 0) return {};
  const at::Tensor mask = at::empty(shape, at::kFloat);
  RandomStream random(key);
  const float kept = static_cast<float>(1 / (1 - probability));
  float* const values = mask.data_ptr<float>();
  for (std::int64_t i = 0; i < mask.numel(); ++i) values[i] = random.uniform() < probability ? 0.0F : kept;
  return mask.to(like.options().requires_grad(false));
}

}  // namespace mixop::darts_rnn
