#include "pickle.hpp"

#include "file.hpp"
#include "pickle_reader.hpp"

namespace mixop::cifar {
namespace {

using Kind = PickleNode::Kind;

std::string quoted(std::string_view key) { return "'" + std::string(key) + "'"; }

/// (version, shape, dtype, whether in Fortran's order, bytes), as numpy's ndarray.__setstate__ takes them.
class ArrayState {
 public:
  ArrayState(const std::deque<PickleNode>& nodes, const PickleNode& array)
      : nodes_(nodes), parts_(array.items.empty() ? array.items : nodes[array.items[0]].items) {}

  bool sound() const {
    return parts_.size() == 5 && part(1).kind == Kind::tuple && part(2).kind == Kind::array_type &&
           part(4).kind == Kind::text;
  }
  const PickleNode& type() const { return part(2); }
  std::string_view raw() const { return part(4).text; }
  /// -1 for a side that is no integer.
  std::vector<std::int64_t> sides() const {
    std::vector<std::int64_t> sides;
    for (const std::uint32_t side : part(1).items)
      sides.push_back(nodes_[side].kind == Kind::integer ? nodes_[side].number : -1);
    return sides;
  }

 private:
  const PickleNode& part(std::size_t i) const { return nodes_[parts_[i]]; }

  const std::deque<PickleNode>& nodes_;
  const std::vector<std::uint32_t>& parts_;
};

}  // namespace

std::int64_t IntegerType::value(std::string_view raw) const {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    const auto byte = static_cast<std::uint8_t>(raw[static_cast<std::size_t>(big_endian ? i : bytes - 1 - i)]);
    value = value << 8 | byte;
  }
  if (is_signed && bytes < 8 && (value >> (8 * bytes - 1)) != 0) value |= ~std::uint64_t{0} << (8 * bytes);
  return static_cast<std::int64_t>(value);
}

std::optional<IntegerType> integer_type(const std::deque<PickleNode>& nodes, const PickleNode& type) {
  std::string_view name = type.text;
  IntegerType read;
  if (!type.items.empty() && nodes[type.items[0]].items.size() > 1)
    read.big_endian = nodes[nodes[type.items[0]].items[1]].text == ">";
  if (!name.empty() && (name.front() == '<' || name.front() == '>' || name.front() == '|')) {
    read.big_endian = name.front() == '>';
    name.remove_prefix(1);
  }
  if (name.size() != 2 || (name[0] != 'i' && name[0] != 'u')) return std::nullopt;
  read.is_signed = name[0] == 'i';
  read.bytes = name[1] - '0';
  if (read.bytes != 1 && read.bytes != 2 && read.bytes != 4 && read.bytes != 8) return std::nullopt;
  return read;
}

Pickle::Pickle(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) : path_(path) {
  top_ = PickleReader(path_, bytes, nodes_, decoded_).read();
  if (nodes_[top_].kind != Kind::dict) refuse(path_, "expected a pickled dict, found another value");
}

const PickleNode* Pickle::find(std::string_view key) const {
  const PickleNode* found = nullptr;
  const std::vector<std::uint32_t>& items = nodes_[top_].items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (nodes_[items[i]].text != key) continue;
    if (found != nullptr) refuse(path_, "the key " + quoted(key) + " occurs twice");
    found = &nodes_[items[i + 1]];
  }
  return found;
}

const PickleNode& Pickle::required(std::string_view key) const {
  const PickleNode* node = find(key);
  if (node == nullptr) refuse(path_, "the key " + quoted(key) + " is missing; this is no such batch");
  return *node;
}

const PickleNode& Pickle::list(std::string_view key) const {
  const PickleNode& node = required(key);
  if (node.kind != Kind::list) refuse(path_, quoted(key) + " is no list");
  return node;
}

std::vector<std::int64_t> Pickle::integers(std::string_view key) const {
  if (const PickleNode& node = required(key); node.kind == Kind::array) return integers_of_array(node, key);
  std::vector<std::int64_t> numbers;
  for (const std::uint32_t item : list(key).items) {
    if (nodes_[item].kind != Kind::integer)
      refuse(path_, "record " + std::to_string(numbers.size()) + " of " + quoted(key) + " is no integer");
    numbers.push_back(nodes_[item].number);
  }
  return numbers;
}

std::vector<std::int64_t> Pickle::integers_of_array(const PickleNode& array, std::string_view key) const {
  const ArrayState state(nodes_, array);
  const auto type = state.sound() ? integer_type(nodes_, state.type()) : std::nullopt;
  const auto sides = state.sound() ? state.sides() : std::vector<std::int64_t>{};
  const bool one_column = sides.size() == 1 || (sides.size() == 2 && sides[1] == 1);
  if (!type || !one_column || sides[0] < 0)
    refuse(path_, quoted(key) + " is no list and no one-dimensional array of integers; save its tolist()");
  const std::string_view raw = state.raw();
  if (raw.size() / static_cast<std::size_t>(type->bytes) != static_cast<std::uint64_t>(sides[0]) ||
      raw.size() % static_cast<std::size_t>(type->bytes) != 0)
    refuse(path_, quoted(key) + " has " + std::to_string(sides[0]) + " integers of " + std::to_string(type->bytes) +
                      " bytes but " + std::to_string(raw.size()) + " bytes");
  std::vector<std::int64_t> numbers;
  for (std::size_t at = 0; at < raw.size(); at += static_cast<std::size_t>(type->bytes))
    numbers.push_back(type->value(raw.substr(at, static_cast<std::size_t>(type->bytes))));
  return numbers;
}

std::vector<std::uint8_t> Pickle::labels(std::string_view key, std::int64_t bound) const {
  std::vector<std::uint8_t> labels;
  for (const std::int64_t label : integers(key)) {
    if (label < 0 || label >= bound)
      refuse(path_, "record " + std::to_string(labels.size()) + " has label " + std::to_string(label) + " in " +
                        quoted(key) + ", expected 0 to " + std::to_string(bound - 1));
    labels.push_back(static_cast<std::uint8_t>(label));
  }
  return labels;
}

std::vector<std::string_view> Pickle::texts(std::string_view key) const {
  std::vector<std::string_view> texts;
  for (const std::uint32_t item : list(key).items) {
    if (nodes_[item].kind != Kind::text)
      refuse(path_, "entry " + std::to_string(texts.size()) + " of " + quoted(key) + " is no text");
    texts.push_back(nodes_[item].text);
  }
  return texts;
}

PickleArray Pickle::array(std::string_view key) const {
  const PickleNode* node = &required(key);
  const std::string where = quoted(key);
  if (node->kind != Kind::array) refuse(path_, where + " is no numpy array");
  // (version, shape, dtype, whether in Fortran's order, bytes), as numpy's ndarray.__setstate__ takes them.
  const std::vector<std::uint32_t>& state = node->items.empty() ? node->items : nodes_[node->items[0]].items;
  if (state.size() != 5)
    refuse(path_, where + " has a state of " + std::to_string(state.size()) + " parts, expected 5");
  const PickleNode &shape = nodes_[state[1]], &type = nodes_[state[2]];
  const PickleNode &order = nodes_[state[3]], &raw = nodes_[state[4]];
  if (type.kind != Kind::array_type || type.text != "u1")
    refuse(path_, where + " has dtype '" + (type.kind == Kind::array_type ? printable(type.text) : "none") +
                      "', expected 'u1' (uint8)");
  if (order.kind == Kind::boolean ? order.number != 0 : order.kind != Kind::integer || order.number != 0)
    refuse(path_, where + " is stored in Fortran's order, expected C's");
  if (shape.kind != Kind::tuple || shape.items.size() != 2) refuse(path_, where + " must have two dimensions");
  const PickleNode &rows = nodes_[shape.items[0]], &columns = nodes_[shape.items[1]];
  if (rows.kind != Kind::integer || columns.kind != Kind::integer || rows.number < 1 || columns.number < 1)
    refuse(path_, where + " must have a shape of two positive integers");
  if (raw.kind != Kind::text) refuse(path_, where + " holds no bytes");
  const auto row = static_cast<std::uint64_t>(columns.number);
  if (raw.text.size() % row != 0 || raw.text.size() / row != static_cast<std::uint64_t>(rows.number))
    refuse(path_, where + " has shape " + std::to_string(rows.number) + " x " + std::to_string(columns.number) +
                      " but " + std::to_string(raw.text.size()) + " bytes");
  return {rows.number, columns.number, {reinterpret_cast<const std::uint8_t*>(raw.text.data()), raw.text.size()}};
}

}  // namespace mixop::cifar
