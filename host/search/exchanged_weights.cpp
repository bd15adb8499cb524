#include "host/search/exchanged_weights.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "host/runtime/finite.hpp"
#include "host/search/stored_check.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::size_t kMostListed = 3;
constexpr std::string_view kCounter = "num_batches_tracked", kAuxiliary = "auxiliary_head.";

constexpr std::pair<WeightType, at::ScalarType> kTypes[] = {
    {WeightType::uint8, at::kByte},        {WeightType::int8, at::kChar},     {WeightType::int16, at::kShort},
    {WeightType::int32, at::kInt},         {WeightType::int64, at::kLong},    {WeightType::float16, at::kHalf},
    {WeightType::bfloat16, at::kBFloat16}, {WeightType::float32, at::kFloat}, {WeightType::float64, at::kDouble},
    {WeightType::boolean, at::kBool},
};

at::ScalarType type_of(WeightType type) {
  return std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& pair) { return pair.first == type; })
      ->second;
}

WeightType type_of(at::ScalarType type) {
  const auto found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& pair) { return pair.second == type; });
  if (found == std::end(kTypes))
    throw Error(ErrorCode::unsupported, std::string("tensors of ") + c10::toString(type) + " are not written");
  return found->first;
}

/// What numbers become each other.
std::string kind_of(at::ScalarType type) {
  return at::isFloatingType(type) ? "reals" : type == at::kBool ? "truth values" : "whole numbers";
}

std::string shape_of(at::IntArrayRef sizes) { return shape_text({sizes.begin(), sizes.end()}); }

/// "3 of the network's are missing: a, b, c".
class Misfits {
 public:
  void add(const std::string& name) { names_.push_back(name); }
  std::string text(const std::string& what) const {
    if (names_.empty()) return "";
    std::vector<std::string> first(names_.begin(),
                                   names_.begin() + static_cast<std::ptrdiff_t>(std::min(names_.size(), kMostListed)));
    return "; " + std::to_string(names_.size()) + " " + what + ": " + joined(first) +
           (names_.size() > kMostListed ? ", ..." : "");
  }

 private:
  std::vector<std::string> names_;
};

/// Where each tensor of a network comes from.
class Assignment {
 public:
  Assignment(const WeightFile& file, const Network& network) : file_(file) {
    for (std::size_t i = 0; i < file.entries().size(); ++i) by_name_.emplace(file.entries()[i].name, i);
    for (const StateEntry& entry : network.state()) assign(entry);
    for (const WeightEntry& entry : file.entries())
      if (used_.count(entry.name) == 0) left_out(entry.name);
    const bool has_head = std::any_of(file.entries().begin(), file.entries().end(),
                                      [](const WeightEntry& entry) { return entry.name.starts_with(kAuxiliary); });
    for (const auto& [name, tensor] : wanting_)
      if (name.starts_with(kAuxiliary) && !has_head)
        head_is_drawn_ = true;
      else if (!assigned(tensor))
        missing_.add(name);
  }

  void require_fit() const {
    const std::string problem = missing_.text("of the network's are not in it") + more_.text("are not the network's") +
                                misshapen_.text("have another shape or kind");
    if (!problem.empty())
      throw Error(ErrorCode::bad_data,
                  file_.name() + ": its tensors are not those of this network" + problem +
                      ". Check the genotype, space.channels, space.layers, the data's classes and train.auxiliary");
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    if (auxiliary_ > 0)
      notes.push_back(file_.name() + ": the " + std::to_string(auxiliary_) +
                      " tensors of its auxiliary head are left out, for the network has none (train.auxiliary)");
    if (head_is_drawn_)
      notes.push_back(file_.name() +
                      " has no auxiliary head; that of the network has drawn weights, which only training uses");
    return notes;
  }

  /// Target and entry of the file.
  const std::vector<std::pair<at::Tensor, std::size_t>>& all() const { return assigned_; }
  const std::vector<at::Tensor>& counters() const { return counters_; }

 private:
  void assign(const StateEntry& entry) {
    const auto found = by_name_.find(entry.name);
    if (found == by_name_.end()) {
      if (entry.name.ends_with(kCounter))
        counters_.push_back(entry.tensor);
      else
        wanting_.emplace_back(entry.name, entry.tensor);
      return;
    }
    used_.insert(*found);
    const WeightEntry& own = file_.entries()[found->second];
    if (at::IntArrayRef(own.shape) != entry.tensor.sizes() ||
        kind_of(type_of(own.type)) != kind_of(entry.tensor.scalar_type()))
      misshapen_.add(entry.name + " (" + shape_of(own.shape) + " of " + kind_of(type_of(own.type)) + " instead of " +
                     shape_of(entry.tensor.sizes()) + " of " + kind_of(entry.tensor.scalar_type()) + ")");
    assigned_.emplace_back(entry.tensor, found->second);
  }

  bool assigned(const at::Tensor& tensor) const {
    return std::any_of(assigned_.begin(), assigned_.end(),
                       [&](const auto& pair) { return pair.first.is_same(tensor); });
  }

  void left_out(const std::string& name) {
    if (name.starts_with(kAuxiliary))
      ++auxiliary_;
    else if (!name.ends_with(kCounter))
      more_.add(excerpt(name));
  }

  const WeightFile& file_;
  std::map<std::string, std::size_t> by_name_, used_;
  std::vector<std::pair<std::string, at::Tensor>> wanting_;
  std::vector<std::pair<at::Tensor, std::size_t>> assigned_;
  std::vector<at::Tensor> counters_;
  Misfits missing_, more_, misshapen_;
  std::size_t auxiliary_ = 0;
  bool head_is_drawn_ = false;
};

/// An entry's values in the type of the tensor that they are for.
at::Tensor values_for(const WeightFile& file, std::size_t entry, const at::Tensor& target) {
  const WeightEntry& own = file.entries()[entry];
  std::vector<std::byte> bytes = file.read(entry);
  const at::Tensor values = at::from_blob(bytes.data(), own.shape, at::TensorOptions(type_of(own.type)))
                                .to(target.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
  if (!is_finite(values))
    throw Error(ErrorCode::bad_data, file.name() + ": tensor '" + excerpt(own.name) +
                                         "': has numbers that are not finite as " +
                                         c10::toString(target.scalar_type()));
  if (own.name.ends_with("running_var") && values.lt(0).any().item<bool>())
    throw Error(ErrorCode::bad_data, file.name() + ": tensor '" + excerpt(own.name) +
                                         "': expected variances, found numbers below 0");
  return values;
}

}  // namespace

std::vector<std::string> put_weights(const WeightFile& file, const Network& network) {
  const at::NoGradGuard no_grad;
  const Assignment assignment(file, network);
  assignment.require_fit();
  std::map<const void*, std::pair<at::Tensor, std::size_t>> values;  // by tensor
  for (const auto& [target, entry] : assignment.all()) {
    at::Tensor own = values_for(file, entry, target);
    const auto [known, is_new] = values.emplace(target.unsafeGetTensorImpl(), std::pair(own, entry));
    if (!is_new && !at::equal(known->second.first, own))
      throw Error(ErrorCode::bad_data, file.name() + ": the tensors '" + file.entries()[known->second.second].name +
                                           "' and '" + file.entries()[entry].name +
                                           "' are one in this network, and differ in the file");
  }
  for (const auto& [target, entry] : assignment.all()) target.copy_(values.at(target.unsafeGetTensorImpl()).first);
  for (const at::Tensor& counter : assignment.counters()) counter.zero_();
  return assignment.notes();
}

std::vector<NamedValues> weights_of(const Archive& archive) {
  std::vector<NamedValues> all;
  for (const std::string group : {"/weights", "/buffers"})
    for (const std::string& name : archive.children(group)) {
      const std::string path = archive_path(group, name);
      all.push_back(named_values(name, get_tensor(archive, path)));
      if (!archive.has_attribute(path, stored::other_names_attribute)) continue;
      for (const std::string& other : split(archive.text(path, stored::other_names_attribute), '\n')) {
        all.push_back(all.back());
        all.back().entry.name = other;
      }
    }
  return all;
}

NamedValues named_values(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
  const auto* begin = static_cast<const std::byte*>(values.const_data_ptr());
  return {{name, type_of(values.scalar_type()), values.sizes().vec()}, {begin, begin + values.nbytes()}};
}

}  // namespace mixop
