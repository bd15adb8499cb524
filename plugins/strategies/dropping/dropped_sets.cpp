#include "dropped_sets.hpp"

#include <ATen/ATen.h>

#include "mixop/error.hpp"

namespace mixop::strategies {

DroppedSets::DroppedSets(const std::vector<SearchedSet>& sets) {
  for (const SearchedSet& searched : sets) {
    std::vector<std::int64_t> shape = searched.set.shape();
    if (shape.size() == 2) shape.insert(shape.begin(), 1);
    sets_.push_back(searched.set);
    masks_.push_back(at::zeros(shape, at::kBool));
  }
}

at::Tensor DroppedSets::row(const at::Tensor& of_set, const Edge& edge) {
  const at::Tensor cells = of_set.dim() == 2 ? of_set.unsqueeze(0) : of_set;
  return cells.select(0, edge.cell).select(0, edge.edge);
}

std::vector<std::int64_t> DroppedSets::left(const Edge& of) const {
  const at::Tensor mask = row(masks_[of.set], of);
  std::vector<std::int64_t> operations;
  for (std::int64_t k = 0; k < mask.numel(); ++k)
    if (!mask[k].item<bool>()) operations.push_back(k);
  return operations;
}

std::int64_t DroppedSets::count_left() const {
  std::int64_t count = 0;
  for (const at::Tensor& mask : masks_) count += mask.numel() - mask.sum().item<std::int64_t>();
  return count;
}

void DroppedSets::drop(const Edge& of, std::int64_t operation) { row(masks_[of.set], of)[operation].fill_(true); }

void DroppedSets::drop_edge(const Edge& of) { row(masks_[of.set], of).fill_(true); }

std::vector<at::Tensor> DroppedSets::tensors() const {
  std::vector<at::Tensor> tensors;
  bool some = false;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    tensors.push_back(masks_[i].view(sets_[i].shape()).clone());
    some = some || masks_[i].any().item<bool>();
  }
  return some ? tensors : std::vector<at::Tensor>{};
}

NamedTensors DroppedSets::save() const {
  NamedTensors state;
  for (std::size_t i = 0; i < masks_.size(); ++i) state["dropped_" + std::to_string(i)] = masks_[i].to(at::kByte);
  return state;
}

void DroppedSets::load(const NamedTensors& state, const std::string& part) {
  for (std::size_t i = 0; i < masks_.size(); ++i) {
    const std::string name = "dropped_" + std::to_string(i);
    const auto found = state.find(name);
    if (found == state.end() || found->second.scalar_type() != at::kByte || found->second.sizes() != masks_[i].sizes() ||
        found->second.gt(1).any().item<bool>())
      throw Error(ErrorCode::bad_data, "the schedule " + part + " finds no '" + name + "' of zeros and ones in the shape of '" + sets_[i].name +
                                           "' in its state; was it written by another version of a plugin?");
    masks_[i] = found->second.to(at::kBool);
  }
}

}  // namespace mixop::strategies
