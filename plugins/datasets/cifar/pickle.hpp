#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mixop::cifar {

/// What a pickled batch may hold. Text views into the file's bytes; items index the document's nodes.
struct PickleNode {
  enum class Kind {
    none,
    boolean,
    integer,
    text,
    list,
    tuple,
    dict,        // items: key, value, key, value, ...
    global,      // text: "ndarray", "dtype" or "_reconstruct"
    array,       // a numpy array; items: its state, one tuple, once BUILD has run
    array_type,  // a numpy dtype; text: its name; items: its state, one tuple, once BUILD has run
  };
  Kind kind = Kind::none;
  std::int64_t number = 0;
  std::string_view text;
  std::vector<std::uint32_t> items;
};

/// A numpy dtype of integers.
struct IntegerType {
  int bytes = 1;
  bool is_signed = false, big_endian = false;

  /// Of that many bytes; what passes 63 bits is negative.
  std::int64_t value(std::string_view raw) const;
};

/// What a dtype's node means; nothing where it is none of integers of up to 8 bytes.
std::optional<IntegerType> integer_type(const std::deque<PickleNode>& nodes, const PickleNode& type);

/// The shape and bytes of an array of uint8 in C order, as wide as `rows` x `columns`.
struct PickleArray {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::span<const std::uint8_t> bytes;
};

/// A parsed pickle whose top is a dict: the data subset of protocols 0 to 5 that the published CIFAR files and plain
/// re-pickles of them use, as Python 2 and 3 write them. Nothing is ever executed: the names of numpy's arrays,
/// integers and of the way in which Python 3 writes bytes for Python 2 are recognised; every other name or opcode is an
/// error that names file, offset and opcode. Memory is bounded by the file's size and by named limits.
class Pickle {
 public:
  /// `bytes` must outlive the pickle. Throws bad_data.
  Pickle(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// A list or a one-dimensional array of integers in [0, bound) under `key`.
  std::vector<std::uint8_t> labels(std::string_view key, std::int64_t bound) const;
  /// A list of texts under `key`.
  std::vector<std::string_view> texts(std::string_view key) const;
  /// The two-dimensional uint8 array under `key`.
  PickleArray array(std::string_view key) const;

 private:
  const PickleNode* find(std::string_view key) const;
  const PickleNode& required(std::string_view key) const;
  const PickleNode& list(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;
  std::vector<std::int64_t> integers_of_array(const PickleNode& array, std::string_view key) const;

  std::filesystem::path path_;
  std::deque<PickleNode> nodes_;
  std::deque<std::string> decoded_;
  std::uint32_t top_ = 0;
};

}  // namespace mixop::cifar
