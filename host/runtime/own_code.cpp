#include "host/runtime/own_code.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <sstream>
#include <utility>

#include "host/plugins/part_error.hpp"
#include "host/runtime/finite.hpp"

namespace mixop {
namespace {

MixopTensor borrow(const at::Tensor& tensor) { return reinterpret_cast<MixopTensor>(const_cast<at::Tensor*>(&tensor)); }

/// Takes over a handle that a plugin passed out.
at::Tensor adopt(MixopTensor handle) {
  const std::unique_ptr<at::Tensor> owned(reinterpret_cast<at::Tensor*>(handle));
  return owned ? std::move(*owned) : at::Tensor();
}

MixopForward to_abi(const Forward& how) {
  return {sizeof(MixopForward), how.training ? 1 : 0, how.update_statistics ? 1 : 0, 0, how.key};
}

/// Calls a function of an operator's table; what it reports names the operator and what was asked of it.
template <class Call>
void ask(const std::string& called, const char* what, Call&& call) {
  const RunningPart running(called, what);
  try {
    checked(called + ": " + what, call);
  } catch (const Error& error) {
    throw PartError(error.code(), error.what());
  }
}

/// "Float [8, 16, 32, 32] on cpu"
std::string described(at::ScalarType type, at::IntArrayRef sizes, at::Device device) {
  std::ostringstream text;
  text << type << ' ' << sizes << " on " << device;
  return text.str();
}
std::string described(const at::Tensor& tensor) {
  return described(tensor.scalar_type(), tensor.sizes(), tensor.device());
}

bool is_alike(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && a.device() == b.device();
}

/// Notices that a tensor is written to: by LibTorch's count of writes, and, for code that writes to the memory itself,
/// by some of its numbers.
class Untouched {
 public:
  explicit Untouched(const at::Tensor& tensor) : tensor_(tensor), version_(count()), numbers_(sample()) {}
  bool holds() const { return count() == version_ && sample() == numbers_; }

 private:
  static constexpr std::int64_t kNumbers = 16, kMostBytes = 8;
  using Sample = std::array<std::array<char, kMostBytes>, kNumbers>;

  std::uint32_t count() const { return tensor_.is_inference() ? 0 : static_cast<std::uint32_t>(tensor_._version()); }
  Sample sample() const {
    Sample sample{};
    const auto bytes = static_cast<std::int64_t>(tensor_.element_size());
    if (!tensor_.is_cpu() || !tensor_.is_non_overlapping_and_dense() || bytes > kMostBytes) return sample;
    const auto* data = static_cast<const char*>(tensor_.const_data_ptr());
    const std::int64_t count = std::min(kNumbers, tensor_.numel());
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t place = i * (tensor_.numel() - 1) / std::max<std::int64_t>(count - 1, 1);
      std::memcpy(sample[static_cast<std::size_t>(i)].data(), data + place * bytes, static_cast<std::size_t>(bytes));
    }
    return sample;
  }

  const at::Tensor& tensor_;
  std::uint32_t version_;
  Sample numbers_;
};

/// What only the host may change of a tensor of an operator's state, and of a parameter how often it was written to.
struct StateMark {
  std::vector<std::int64_t> sizes;
  at::ScalarType type;
  at::Device device;
  bool requires_grad;
  std::uint32_t writes;
  friend bool operator==(const StateMark&, const StateMark&) = default;
};

StateMark mark_of(const StateEntry& entry) {
  const at::Tensor& tensor = entry.tensor;
  const bool counted = entry.kind == StateKind::parameter && !tensor.is_inference();
  return {tensor.sizes().vec(), tensor.scalar_type(), tensor.device(), tensor.requires_grad(),
          counted ? static_cast<std::uint32_t>(tensor._version()) : 0};
}

/// What a call may not change beside the tensors that it gets.
class Surroundings {
 public:
  explicit Surroundings(const std::vector<StateEntry>& state) : state_(state), grad_mode_(at::GradMode::is_enabled()) {
    for (const StateEntry& entry : state) marks_.push_back(mark_of(entry));
  }
  /// Empty where nothing is wrong.
  std::string change() const {
    for (std::size_t i = 0; i < state_.size(); ++i) {
      const StateMark &before = marks_[i], now = mark_of(state_[i]);
      if (now == before) continue;
      const std::string named = "its state changed: '" + state_[i].name + "' ";
      if (now.sizes != before.sizes || now.type != before.type || now.device != before.device)
        return named + "was " + described(before.type, before.sizes, before.device) + " and is " +
               described(now.type, now.sizes, now.device) + "; only the host changes type and device";
      if (now.requires_grad != before.requires_grad)
        return named + "requires gradients " + (now.requires_grad ? "now" : "no more") + ", which only the host says";
      return named + "is written to, and parameters are the optimiser's; what a pass writes is a buffer";
    }
    if (at::GradMode::is_enabled() != grad_mode_) {
      at::GradMode::set_enabled(grad_mode_);
      return std::string("it leaves the recording of gradients ") + (grad_mode_ ? "off" : "on") +
             "; use at::NoGradGuard or at::AutoGradMode, which set it back";
    }
    return "";
  }

 private:
  const std::vector<StateEntry>& state_;
  std::vector<StateMark> marks_;
  bool grad_mode_;
};

std::vector<std::int64_t> output_sizes(const MixopOperator& table, const OpSpec& spec, const at::Tensor& input) {
  std::vector<std::int64_t> sizes = input.sizes().vec();
  if (table.domain != MIXOP_DOMAIN_IMAGE || sizes.size() != 4) return sizes;
  sizes[1] = spec.out;
  for (const std::size_t side : {2, 3}) sizes[side] = (sizes[side] + spec.stride - 1) / spec.stride;
  return sizes;
}

const char* mode_of(const Forward& how) { return how.training ? "forward in training" : "forward in evaluation"; }

}  // namespace

OwnCode::OwnCode(const MixopOperator& table, const std::string& name, std::string called, const OpSpec& spec)
    : table_(&table),
      backward_(extension_of<MixopBackward>(table, MIXOP_BACKWARD_EXTENSION)),
      called_(std::move(called)),
      spec_(spec) {
  const AbiSpec abi(table, name, spec);
  MixopOpInstance* made = nullptr;
  ask(called_, "create", [&](MixopError* error) { return table.create(abi.get(), &made, error); });
  if (made == nullptr) throw Error(ErrorCode::plugin, called_ + ": create succeeded but made nothing");
  instance_ =
      std::shared_ptr<MixopOpInstance>(made, [destroy = table.destroy, called = called_](MixopOpInstance* instance) {
        const RunningPart running(called, "destroy");
        destroy(instance);
      });
  state_ = collect_state();
}

std::vector<StateEntry> OwnCode::collect_state() const {
  std::vector<StateEntry> entries;
  const RunningPart running(called_, "state");
  const std::uint32_t count = table_->state_count(instance_.get());
  for (std::uint32_t i = 0; i < count; ++i) {
    MixopState state{};
    state.size = sizeof state;
    ask(called_, "state", [&](MixopError* error) { return table_->state(instance_.get(), i, &state, error); });
    if (state.name == nullptr || state.tensor == nullptr)
      throw PartError(ErrorCode::plugin,
                      called_ + ": state " + std::to_string(i) + " lacks its name or its tensor");
    entries.push_back({state.name, *reinterpret_cast<at::Tensor*>(state.tensor), static_cast<StateKind>(state.kind)});
  }
  return entries;
}

at::Tensor OwnCode::forward(const at::Tensor& input, const Forward& how) const {
  const MixopForward abi = to_abi(how);
  const Untouched before(input);
  const Surroundings surroundings(state_);
  MixopTensor handle = nullptr;
  ask(called_, mode_of(how), [&](MixopError* error) {
    return table_->forward(instance_.get(), borrow(input), &abi, &handle, error);
  });
  const at::Tensor output = adopt(handle);
  require_output(output, input, how);
  if (!before.holds())
    throw PartError(ErrorCode::plugin, called_ + ": " + mode_of(how) +
                                           ": it writes to its input, which other operations read as well; it must "
                                           "write to a tensor of its own");
  require_same_state(mode_of(how));
  if (const std::string change = surroundings.change(); !change.empty())
    throw PartError(ErrorCode::plugin, called_ + ": " + mode_of(how) + ": " + change);
  if (!is_finite(output) && is_finite(input) &&
      std::all_of(state_.begin(), state_.end(), [](const StateEntry& entry) { return is_finite(entry.tensor); }))
    throw NotFinite(called_ + ": " + mode_of(how) +
                    ": gives numbers that are not finite, of an input and a state that are", /*by_part=*/true);
  if (records_parameters(how) && !output.requires_grad())
    throw PartError(ErrorCode::plugin, called_ + ": " + mode_of(how) +
                                           ": no gradient of its parameters is recorded in its result; compute it from them, without "
                                           "detach() and without switching the recording off");
  return output;
}

bool OwnCode::records_parameters(const Forward& how) const {
  return how.training && !has_backward() && at::GradMode::is_enabled() &&
         std::any_of(state_.begin(), state_.end(), [](const StateEntry& entry) { return entry.tensor.requires_grad(); });
}

void OwnCode::require_output(const at::Tensor& output, const at::Tensor& input, const Forward& how) const {
  const std::string where = called_ + ": " + mode_of(how) + ": ";
  if (!output.defined()) throw PartError(ErrorCode::plugin, where + "succeeded but gave no tensor");
  if (output.layout() != at::kStrided || output.is_inference())
    throw PartError(ErrorCode::plugin, where + "expected a dense tensor that gradients can be recorded of, found " +
                                           (output.is_inference() ? "one of inference mode" : "another layout"));
  const std::vector<std::int64_t> sizes = output_sizes(*table_, spec_, input);
  // Under autocast LibTorch chooses the types of what comes out.
  const bool own_type = output.scalar_type() == input.scalar_type() ||
                        (output.is_floating_point() && at::autocast::is_autocast_enabled(input.device().type()));
  if (output.sizes() == sizes && own_type && output.device() == input.device()) return;
  throw PartError(ErrorCode::plugin, where + "expected a result " + described(input.scalar_type(), sizes, input.device()) +
                                         " for an input " + described(input) + ", found " + described(output));
}

void OwnCode::require_same_state(const char* asked) const {
  const auto differs = [&](const std::string& how) {
    throw PartError(ErrorCode::plugin, called_ + ": " + asked + ": its state changed: " + how +
                                           "; an operator's state is the same tensors under the same names as long as "
                                           "it lives");
  };
  const std::vector<StateEntry> now = collect_state();
  if (now.size() != state_.size())
    differs("expected " + std::to_string(state_.size()) + " tensors, found " + std::to_string(now.size()));
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].name != state_[i].name) differs("expected '" + state_[i].name + "', found '" + now[i].name + "'");
    if (!now[i].tensor.is_same(state_[i].tensor)) differs("'" + now[i].name + "' is another tensor");
  }
}

std::vector<at::Tensor> OwnCode::backward(const at::Tensor& input, const at::Tensor& output, const at::Tensor& gradient,
                                          const Forward& how) const {
  const MixopForward abi = to_abi(how);
  const Surroundings surroundings(state_);
  const std::array<Untouched, 3> before{Untouched(input), Untouched(output), Untouched(gradient)};
  const auto parameters = static_cast<std::size_t>(std::count_if(
      state_.begin(), state_.end(), [](const StateEntry& entry) { return entry.kind == StateKind::parameter; }));
  MixopTensor of_input = nullptr;
  std::vector<MixopTensor> of_parameters(parameters, nullptr);
  ask(called_, "backward", [&](MixopError* error) {
    return backward_->backward(instance_.get(), borrow(input), borrow(output), borrow(gradient), &abi, &of_input,
                               of_parameters.data(), error);
  });
  std::vector<at::Tensor> found{adopt(of_input)};
  for (const MixopTensor handle : of_parameters) found.push_back(adopt(handle));
  for (const Untouched& one : before)
    if (!one.holds())
      throw PartError(ErrorCode::plugin, called_ +
                                             ": backward: it writes to its input, its output or its output's gradient, "
                                             "which are not its own");
  if (const std::string change = surroundings.change(); !change.empty())
    throw PartError(ErrorCode::plugin, called_ + ": backward: " + change);
  return found;
}

void OwnCode::require_gradients(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& of,
                                const at::Tensor& gradient) const {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i].defined()) continue;
    const std::string what = i == 0 ? "the input" : "parameter " + std::to_string(i - 1);
    if (!is_alike(found[i], of[i]))
      throw PartError(ErrorCode::plugin, called_ + ": backward: expected a gradient of " + what + " like it, " +
                                             described(of[i]) + ", found " + described(found[i]));
    if (!is_finite(found[i]) && is_finite(gradient) &&
        std::all_of(of.begin(), of.end(), [](const at::Tensor& one) { return is_finite(one); }))
      throw NotFinite(called_ + ": backward: the gradient of " + what +
                      " is not finite, while the input, the parameters and the output's gradient are");
  }
}

}  // namespace mixop
