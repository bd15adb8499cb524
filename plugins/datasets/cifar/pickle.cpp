#include "pickle.hpp"

#include "file.hpp"
#include "pickle_reader.hpp"

namespace mixop::cifar {
namespace {

using Kind = PickleNode::Kind;

std::string quoted(std::string_view key) { return "'" + std::string(key) + "'"; }

}  // namespace

Pickle::Pickle(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) : path_(path) {
  top_ = PickleReader(path_, bytes, nodes_).read();
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

const PickleNode& Pickle::list(std::string_view key) const {
  const PickleNode* node = find(key);
  if (node == nullptr) refuse(path_, "the key " + quoted(key) + " is missing; this is no such batch");
  if (node->kind != Kind::list) refuse(path_, quoted(key) + " is no list");
  return *node;
}

std::vector<std::uint8_t> Pickle::labels(std::string_view key, std::int64_t bound) const {
  std::vector<std::uint8_t> labels;
  for (const std::uint32_t item : list(key).items) {
    const PickleNode& node = nodes_[item];
    const std::string record = std::to_string(labels.size());
    if (node.kind != Kind::integer) refuse(path_, "record " + record + " of " + quoted(key) + " is no integer");
    if (node.number < 0 || node.number >= bound)
      refuse(path_, "record " + record + " has label " + std::to_string(node.number) + " in " + quoted(key) +
                        ", expected 0 to " + std::to_string(bound - 1));
    labels.push_back(static_cast<std::uint8_t>(node.number));
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
  const PickleNode* node = find(key);
  if (node == nullptr) refuse(path_, "the key " + quoted(key) + " is missing; this is no such batch");
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
  // Both are at most 2^31 - 1, so the product fits.
  const std::int64_t expected = rows.number * columns.number;
  if (raw.text.size() != static_cast<std::uint64_t>(expected))
    refuse(path_, where + " has shape " + std::to_string(rows.number) + " x " + std::to_string(columns.number) +
                      " but " + std::to_string(raw.text.size()) + " bytes, expected " + std::to_string(expected));
  return {rows.number, columns.number, {reinterpret_cast<const std::uint8_t*>(raw.text.data()), raw.text.size()}};
}

}  // namespace mixop::cifar
