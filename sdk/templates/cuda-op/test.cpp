// Against values by hand, and the backward pass as the forward's adjoint: <y, g> is <x, dx>. Where there is a CUDA
// device, what it computes against the CPU.
#include "@file@.hpp"

#include <cmath>
#include <cstdio>
#include <numeric>

namespace {

using mixop::StableTensor;
using torch::headeronly::DeviceType;

// 1, 2, 3, ... of the shape of another tensor.
StableTensor counted(const StableTensor& like) {
  const auto made = torch::stable::empty_like(like);
  std::iota(made.mutable_data_ptr<double>(), made.mutable_data_ptr<double>() + made.numel(), 1.0);
  return made;
}

double inner_product(const StableTensor& a, const StableTensor& b) {
  const double* from = a.const_data_ptr<double>();
  return std::inner_product(from, from + a.numel(), b.const_data_ptr<double>(), 0.0);
}

StableTensor moved(const StableTensor& tensor, DeviceType device) {
  return torch::stable::to(tensor, torch::stable::Device(device, device == DeviceType::CPU ? -1 : 0));
}

}  // namespace

int main() {
  int wrong = 0;
  const auto expect = [&wrong](double found, double expected, const char* what) {
    std::printf("%s: %g, expected %g\n", what, found, expected);
    wrong += std::abs(found - expected) <= 1e-9 * std::abs(expected) ? 0 : 1;
  };
  const bool cuda = cuda_devices() > 0;
  std::printf("%s\n", cuda ? "on the CPU and a CUDA device" : "no CUDA device: on the CPU alone");
  for (const std::int64_t stride : {1, 2}) {
    const @class@ op({.in = 2, .out = 2, .stride = stride});
    const auto ones = torch::stable::full({1, 2, 5, 5}, 1, torch::headeronly::ScalarType::Double);
    const StableTensor smooth = op.forward(ones, {});
    expect(smooth.const_data_ptr<double>()[0], 9. / 16, "a corner of ones");
    expect(smooth.const_data_ptr<double>()[1], 12. / 16, "an edge of ones");
    expect(smooth.const_data_ptr<double>()[smooth.size(3) + 1], 1, "ones inside");

    const StableTensor x = counted(ones), y = op.forward(x, {});
    const StableTensor grad_y = counted(y), grad_x = op.backward(x, y, grad_y, {});
    expect(inner_product(grad_x, x), inner_product(y, grad_y), "the adjoint");
    if (!cuda) continue;
    const StableTensor x_there = moved(x, DeviceType::CUDA), y_there = op.forward(x_there, {});
    const StableTensor grad_x_there = op.backward(x_there, y_there, moved(grad_y, DeviceType::CUDA), {});
    expect(inner_product(moved(y_there, DeviceType::CPU), grad_y), inner_product(y, grad_y), "forward on the device");
    expect(inner_product(moved(grad_x_there, DeviceType::CPU), x), inner_product(grad_x, x), "backward on the device");
  }
  return wrong;
}
