#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mixop {

/// A value of a pickle, which refers to others by their place in Pickle::values.
struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    real,
    text,   ///< str, and bytes of Python 2
    bytes,  ///< bytes
    list,
    tuple,
    dict,    ///< items: key, value, key, value ...
    global,  ///< text: "module name" of a class or function, which nobody looks up
    object,  ///< what calling `callable` with the tuple `arguments` would give, with the `state` and items that follow
    persistent,  ///< items: the one value of a persistent id
  };
  using Ref = std::uint32_t;
  static constexpr Ref kNothing = ~Ref{0};

  Kind kind = Kind::none;
  std::int64_t integer = 0;  ///< of an integer that fits, and of a boolean; the values of reals are not kept
  std::string text;
  std::vector<Ref> items;
  Ref callable = kNothing, arguments = kNothing, state = kNothing;
};

/// A pickle as data. Values may refer to each other in circles.
struct Pickle {
  std::deque<PickleValue> values;
  PickleValue::Ref root = PickleValue::kNothing;
  std::size_t end = 0;  ///< bytes up to and with its STOP

  const PickleValue& at(PickleValue::Ref ref) const { return values[ref]; }
};

/// Reads one pickle from the beginning of `bytes`: protocols 2 to 5, of which the opcodes that describe data; nothing
/// is imported, called or built. Refused as bad_data that begins with `name` and the byte, counted from `begin`:
/// opcodes off that list, texts and counts beyond the bytes, marks and memos that are not there, names of classes of
/// more than 1024 bytes or 4 MiB together, and more than a million opcodes. Source of the format: Python's
/// Lib/pickletools.py.
Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name, std::size_t begin = 0);

}  // namespace mixop
