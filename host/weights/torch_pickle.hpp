#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/weights/pickle.hpp"
#include "host/weights/tensor_type.hpp"

namespace mixop {

/// A tensor as PyTorch pickles it: strides over a part of a storage that lies elsewhere.
struct TorchTensor {
  WeightEntry entry;
  std::string storage;      ///< its key
  std::int64_t offset = 0;  ///< of its first value there
  std::vector<std::int64_t> strides;

  /// Whether the values lie one behind another, row-major.
  bool is_contiguous() const;
  /// Values of the storage from the first to the last; of a tensor that is not empty.
  std::uint64_t reach() const;
};

/// A storage as a pickle describes it.
struct TorchStorage {
  WeightType type = WeightType::float32;
  std::int64_t count = 0;  ///< of its values

  std::uint64_t bytes() const { return static_cast<std::uint64_t>(count) * size_of(type); }
};

/// All storages that a pickle speaks of, by key; those of other kinds are left out. Throws bad_data where two of one
/// key differ.
std::map<std::string, TorchStorage> storages_of(const Pickle& pickle, const std::string& name);

/// The tensors of a pickle that torch.save wrote, in its order:
/// - of a state dictionary, which may lie in a checkpoint as `state_dict`, `model_state_dict`, `model`, `net`,
/// `network`
///   or `weights` beside what else is in it;
/// - of a whole module, found as torch.nn.Module keeps them: _parameters, _buffers and _modules.
/// Throws bad_data that begins with `name` where there are none, where one does not fit its storage or has more values
/// than it, where two have one name, and for tensors of other kinds (sparse, quantised).
std::vector<TorchTensor> tensors_of(const Pickle& pickle, const std::string& name);

}  // namespace mixop
