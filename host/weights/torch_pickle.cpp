#include "host/weights/torch_pickle.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "host/text/printable.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

using Kind = PickleValue::Kind;
using Ref = PickleValue::Ref;

constexpr std::int64_t kMostBytes = std::int64_t{1} << 46;
constexpr std::size_t kMostVisits = 4'000'000, kMostDepth = 64, kMostRank = 16, kLongestName = 1024;

/// The items of a tuple that has `least` of them; null otherwise.
const std::vector<Ref>* tuple_of(const Pickle& pickle, Ref ref, std::size_t least) {
  if (ref == PickleValue::kNothing || pickle.at(ref).kind != Kind::tuple || pickle.at(ref).items.size() < least)
    return nullptr;
  return &pickle.at(ref).items;
}

bool is_small(const PickleValue& value) {
  return value.kind == Kind::integer && value.text.size() <= sizeof(std::int64_t);
}

struct NamedStorage {
  std::string key;
  TorchStorage own;
  std::int64_t view = 0;  // its first value, where it is a view of the storage
};

/// Of a persistent id ("storage", class, key, location, count) and, before PyTorch 0.4, a view of it: (key, first,
/// count).
std::optional<NamedStorage> storage_of(const Pickle& pickle, const PickleValue& persistent) {
  const auto* id = persistent.kind == Kind::persistent ? tuple_of(pickle, persistent.items.front(), 5) : nullptr;
  if (id == nullptr) return std::nullopt;
  const PickleValue &word = pickle.at((*id)[0]), &type = pickle.at((*id)[1]), &key = pickle.at((*id)[2]),
                    &count = pickle.at((*id)[4]);
  if (word.kind != Kind::text || word.text != "storage" || type.kind != Kind::global || !is_small(count) ||
      count.integer < 0)
    return std::nullopt;
  if (key.kind == Kind::text ? !is_plain_name(key.text) : !is_small(key)) return std::nullopt;
  const auto kind = std::find_if(std::begin(weight_types), std::end(weight_types), [&](const WeightTypeNames& one) {
    return type.text == "torch " + std::string(one.torch) || type.text == "torch.cuda " + std::string(one.torch);
  });
  if (kind == std::end(weight_types) || count.integer > kMostBytes / static_cast<std::int64_t>(kind->size))
    return std::nullopt;
  NamedStorage storage{key.kind == Kind::text ? key.text : std::to_string(key.integer), {kind->type, count.integer}};
  if (const auto* view = id->size() > 5 ? tuple_of(pickle, (*id)[5], 3) : nullptr) {
    if (!is_small(pickle.at((*view)[1])) || pickle.at((*view)[1]).integer < 0) return std::nullopt;
    storage.view = pickle.at((*view)[1]).integer;
  }
  return storage;
}

class Finder {
 public:
  Finder(const Pickle& pickle, const std::string& name) : pickle_(pickle), name_(name) {}

  std::vector<TorchTensor> find() {
    if (!from_checkpoint() && !from_state(pickle_.root))
      throw Error(ErrorCode::bad_data,
                  name_ + ": expected a state dictionary, a checkpoint that holds one or a module, found " +
                      described(pickle_.root) + "; save model.state_dict()");
    return std::move(found_);
  }

 private:
  const PickleValue& at(Ref ref) const { return pickle_.at(ref); }
  [[noreturn]] void refuse(const std::string& tensor, const std::string& how) const {
    throw Error(ErrorCode::bad_data, name_ + ": tensor '" + excerpt(tensor) + "': " + how);
  }

  std::string described(Ref ref) const;
  bool is_function(Ref ref, std::string_view name) const {
    return ref != PickleValue::kNothing && at(ref).kind == Kind::global && at(ref).text == name;
  }
  const std::vector<Ref>* tuple(Ref ref, std::size_t least) const { return tuple_of(pickle_, ref, least); }
  /// Keys and values, one behind another, of a dict or an OrderedDict.
  std::optional<std::vector<Ref>> members(Ref ref);
  Ref member(Ref dict, std::string_view key);

  bool from_state(Ref ref);
  bool from_checkpoint();
  void from_module(Ref module, const std::string& prefix, std::size_t depth);
  void from_members(Ref dict, const std::string& prefix, const std::set<std::string_view>& left_out = {});
  bool is_module(Ref ref);
  /// The names of a set.
  std::set<std::string_view> names_of(Ref set);
  std::string longer(const std::string& prefix, const std::string& name) const;

  /// The value as a tensor; false where it is none.
  bool take_tensor(Ref ref, const std::string& name, std::size_t depth = 0);
  void take(const std::vector<Ref>& arguments, const std::string& name);
  void check(const TorchTensor& tensor, std::int64_t stored) const;
  std::vector<std::int64_t> sizes(Ref ref, const std::string& name) const;
  void visit(std::size_t values = 1) {
    if ((visits_ += values) > kMostVisits)
      throw Error(ErrorCode::bad_data, name_ + ": its values refer to each other too often");
  }

  const Pickle& pickle_;
  const std::string& name_;
  std::vector<TorchTensor> found_;
  std::set<std::string> names_;
  std::size_t visits_ = 0;
};

std::string Finder::described(Ref ref) const {
  const PickleValue& value = at(ref);
  switch (value.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
      return "a number";
    case Kind::text:
      return "a text";
    case Kind::bytes:
      return "bytes";
    case Kind::list:
      return "a list of " + std::to_string(value.items.size());
    case Kind::tuple:
      return "a tuple of " + std::to_string(value.items.size());
    case Kind::dict:
      return "a dict of " + std::to_string(value.items.size() / 2) + " without tensors";
    case Kind::global:
      return "the class or function " + excerpt(value.text);
    case Kind::persistent:
      return "a storage";
    case Kind::object:
      return "an object made by " +
             (at(value.callable).kind == Kind::global ? excerpt(at(value.callable).text) : "a value");
  }
  return "";
}

std::optional<std::vector<Ref>> Finder::members(Ref ref) {
  if (ref == PickleValue::kNothing) return std::nullopt;
  const PickleValue& value = at(ref);
  visit(1 + value.items.size());
  if (value.kind == Kind::dict) return value.items;
  if (value.kind != Kind::object || !is_function(value.callable, "collections OrderedDict")) return std::nullopt;
  std::vector<Ref> all = value.items;
  // Python 2 gives the pairs as its one argument.
  if (const auto* arguments = tuple(value.arguments, 1);
      arguments != nullptr && at(arguments->front()).kind == Kind::list)
    for (const Ref pair : at(arguments->front()).items) {
      visit();
      const PickleValue& both = at(pair);
      if ((both.kind != Kind::list && both.kind != Kind::tuple) || both.items.size() != 2) return std::nullopt;
      all.insert(all.end(), both.items.begin(), both.items.end());
    }
  return all;
}

Ref Finder::member(Ref dict, std::string_view key) {
  if (const auto all = members(dict))
    for (std::size_t i = 0; i + 1 < all->size(); i += 2)
      if (at((*all)[i]).kind == Kind::text && at((*all)[i]).text == key) return (*all)[i + 1];
  return PickleValue::kNothing;
}

bool Finder::is_module(Ref ref) {
  return ref != PickleValue::kNothing && at(ref).kind == Kind::object &&
         members(member(at(ref).state, "_parameters")) && members(member(at(ref).state, "_modules"));
}

/// Whether tensors were found in what may be a state dictionary or a module.
bool Finder::from_state(Ref ref) {
  if (is_module(ref))
    from_module(ref, "", 0);
  else
    from_members(ref, "");
  return !found_.empty();
}

bool Finder::from_checkpoint() {
  for (const char* key : {"state_dict", "model_state_dict", "model", "net", "network", "weights"})
    if (const Ref inside = member(pickle_.root, key); inside != PickleValue::kNothing && from_state(inside))
      return true;
  return false;
}

std::string Finder::longer(const std::string& prefix, const std::string& name) const {
  if (prefix.size() + name.size() > kLongestName)
    throw Error(ErrorCode::bad_data, name_ + ": the name '" + excerpt(prefix + name.substr(0, kLongestName)) +
                                         "' has more than " + std::to_string(kLongestName) + " bytes");
  return prefix + name;
}

std::set<std::string_view> Finder::names_of(Ref set) {
  std::set<std::string_view> names;
  if (set == PickleValue::kNothing) return names;
  const PickleValue* value = &at(set);
  if (value->kind == Kind::object)  // set([...])
    if (const auto* arguments = tuple(value->arguments, 1)) value = &at(arguments->front());
  visit(value->items.size());
  for (const Ref item : value->items) names.insert(at(item).text);
  return names;
}

void Finder::from_members(Ref dict, const std::string& prefix, const std::set<std::string_view>& left_out) {
  const auto all = members(dict);
  if (!all) return;
  for (std::size_t i = 0; i + 1 < all->size(); i += 2)
    if (const PickleValue& key = at((*all)[i]); key.kind == Kind::text && left_out.count(key.text) == 0)
      (void)take_tensor((*all)[i + 1], longer(prefix, key.text));
}

void Finder::from_module(Ref module, const std::string& prefix, std::size_t depth) {
  visit();
  if (depth > kMostDepth)
    throw Error(ErrorCode::bad_data, name_ + ": its modules lie more than " + std::to_string(kMostDepth) + " deep");
  if (!is_module(module)) return;  // None, where a module is left out
  const Ref state = at(module).state;
  from_members(member(state, "_parameters"), prefix);
  from_members(member(state, "_buffers"), prefix, names_of(member(state, "_non_persistent_buffers_set")));
  const auto modules = members(member(state, "_modules"));
  for (std::size_t i = 0; modules && i + 1 < modules->size(); i += 2)
    if (at((*modules)[i]).kind == Kind::text)
      from_module((*modules)[i + 1], longer(prefix, at((*modules)[i]).text) + ".", depth + 1);
}

bool Finder::take_tensor(Ref ref, const std::string& name, std::size_t depth) {
  visit();
  const PickleValue& value = at(ref);
  if (value.kind != Kind::object || depth > kMostDepth || at(value.callable).kind != Kind::global) return false;
  const std::string& function = at(value.callable).text;
  const auto* arguments = tuple(value.arguments, 1);
  if (arguments == nullptr) return false;
  if (function == "torch._utils _rebuild_tensor_v2" || function == "torch._utils _rebuild_tensor") {
    take(*arguments, name);
    return true;
  }
  for (const char* wrapper : {"torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state",
                              "torch.nn.parameter Parameter", "torch.autograd.variable Variable"})
    if (function == wrapper) return take_tensor(arguments->front(), name, depth + 1);
  if (function == "torch._tensor _rebuild_from_type_v2" && arguments->size() >= 3 &&
      is_function(arguments->front(), "torch._utils _rebuild_tensor_v2"))
    if (const auto* own = tuple((*arguments)[2], 1)) {
      take(*own, name);
      return true;
    }
  if (function.starts_with("torch._utils _rebuild_"))
    refuse(name, "is rebuilt by " + excerpt(function) + "; dense tensors of the types that PyTorch had in version 1 are read alone");
  return false;
}

std::vector<std::int64_t> Finder::sizes(Ref ref, const std::string& name) const {
  const PickleValue& value = at(ref);
  if (value.kind != Kind::tuple || value.items.size() > kMostRank)
    refuse(name, "expected a tuple of at most " + std::to_string(kMostRank) + " sizes, found " + described(ref));
  std::vector<std::int64_t> all;
  for (const Ref size : value.items) {
    if (!is_small(at(size)) || at(size).integer < 0)
      refuse(name, "expected sizes and strides of 0 and more, found others");
    all.push_back(at(size).integer);
  }
  return all;
}

/// Of the arguments (storage, offset, sizes, strides, ...).
void Finder::take(const std::vector<Ref>& arguments, const std::string& name) {
  if (arguments.size() < 4 || at(arguments[0]).kind != Kind::persistent || !is_small(at(arguments[1])))
    refuse(name, "expected a storage, an offset, sizes and strides, found other arguments");
  const auto storage = storage_of(pickle_, at(arguments[0]));
  if (!storage) refuse(name, "expected a storage of numbers, such as torch.FloatStorage, found another");
  TorchTensor tensor;
  tensor.storage = storage->key;
  tensor.entry = {name, storage->own.type, sizes(arguments[2], name)};
  tensor.offset = at(arguments[1]).integer;
  if (tensor.offset < 0 || __builtin_add_overflow(tensor.offset, storage->view, &tensor.offset))
    refuse(name, "begins beyond all bounds");
  tensor.strides = sizes(arguments[3], name);
  check(tensor, storage->own.count);
  if (!names_.insert(name).second) refuse(name, "is there twice");
  found_.push_back(std::move(tensor));
}

void Finder::check(const TorchTensor& tensor, std::int64_t stored) const {
  const std::string& name = tensor.entry.name;
  const std::vector<std::int64_t>& shape = tensor.entry.shape;
  if (tensor.strides.size() != shape.size())
    refuse(name,
           "has " + std::to_string(shape.size()) + " sizes and " + std::to_string(tensor.strides.size()) + " strides");
  // The product of the sizes without those that are 0, whose order must not matter.
  std::int64_t count = 1, last = tensor.offset;
  bool bounded = true, fits = true;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::int64_t reach = 0;
    bounded = bounded && !__builtin_mul_overflow(count, std::max<std::int64_t>(shape[i], 1), &count);
    fits = fits && !__builtin_mul_overflow(std::max<std::int64_t>(shape[i] - 1, 0), tensor.strides[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (!bounded) refuse(name, "has sizes beyond all bounds");
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  if (!empty && (!fits || count > stored || last >= stored))
    refuse(name, "reaches beyond its storage of " + std::to_string(stored) + " values, or counts them more than once");
}

}  // namespace

bool TorchTensor::is_contiguous() const {
  std::int64_t stride = 1;
  for (std::size_t i = entry.shape.size(); i-- > 0;) {
    if (entry.shape[i] != 1 && strides[i] != stride) return false;
    stride *= entry.shape[i];
  }
  return true;
}

std::uint64_t TorchTensor::reach() const {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < strides.size(); ++i) last += (entry.shape[i] - 1) * strides[i];
  return static_cast<std::uint64_t>(last) + 1;
}

std::map<std::string, TorchStorage> storages_of(const Pickle& pickle, const std::string& name) {
  std::map<std::string, TorchStorage> all;
  for (const PickleValue& value : pickle.values) {
    const auto storage = storage_of(pickle, value);
    if (!storage) continue;
    const TorchStorage& known = all.emplace(storage->key, storage->own).first->second;
    if (known.type != storage->own.type || known.count != storage->own.count)
      throw Error(ErrorCode::bad_data, name + ": its storage '" + excerpt(storage->key) + "' is described in two ways");
  }
  return all;
}

std::vector<TorchTensor> tensors_of(const Pickle& pickle, const std::string& name) {
  return Finder(pickle, name).find();
}

}  // namespace mixop
