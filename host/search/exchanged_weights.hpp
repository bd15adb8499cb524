#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/runtime/network.hpp"
#include "host/weights/weight_file.hpp"

// Weights from and for other programs, under the parameter names of the published code.

namespace mixop {

/// Puts the tensors of a file into the parameters and buffers of their names, in the network's type. A file may lack
/// num_batches_tracked, which PyTorch before 0.4.1 had not and which becomes 0, names that are others' of the same
/// tensor, and the auxiliary head, which stays as it was drawn. It may hold more: num_batches_tracked, and an auxiliary
/// head that the network lacks. Returns what is to be said of the head.
///
/// Throws bad_data that lists what is missing, what is more and what has another shape, and for numbers that are not
/// finite; the network is then as it was.
std::vector<std::string> put_weights(const WeightFile& file, const Network& network);

/// Weights, then buffers of the archive of a search or a network, under all their names.
std::vector<NamedValues> weights_of(const Archive& archive);

/// A tensor to be written, on any device and with any strides.
NamedValues named_values(const std::string& name, const at::Tensor& tensor);

}  // namespace mixop
