#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mixop::test {

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

/// A number's bytes, little endian.
template <class T>
std::string number(T value) {
  std::string digits(sizeof value, '\0');
  std::memcpy(digits.data(), &value, sizeof value);
  return digits;
}

/// Pickled, protocol 2.
inline std::string pickled_text(std::string_view text) {
  return "X" + number(static_cast<std::uint32_t>(text.size())) + std::string(text);
}
inline std::string pickled_class(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string pickle_of(std::string_view value) { return "\x80\x02" + std::string(value) + "."; }
inline std::string pickled_small(unsigned value) { return {'K', static_cast<char>(value)}; }

/// A tensor of `rows` x `columns` floats over the storage `key` of `count` values, as torch._utils._rebuild_tensor_v2
/// takes it.
inline std::string pickled_tensor(std::string_view key, unsigned count, unsigned offset, unsigned rows,
                                  unsigned columns, unsigned row_stride, unsigned column_stride,
                                  const std::string& storage = "FloatStorage") {
  const std::string location = pickled_text("cpu");
  return pickled_class("torch._utils", "_rebuild_tensor_v2") + "((" + pickled_text("storage") +
         pickled_class("torch", storage) + pickled_text(key) + location + pickled_small(count) + "tQ" +
         pickled_small(offset) + pickled_small(rows) + pickled_small(columns) + "\x86" + pickled_small(row_stride) +
         pickled_small(column_stride) + "\x86\x89" + pickled_class("collections", "OrderedDict") + ")RtR";
}

/// {"epoch": 3, "state_dict": {"module.weight": [[0, 1, 2], [3, 4, 5]], "module.turned": [[0, 3], [1, 4], [2, 5]]}},
/// both over one storage "0" of 6.
inline std::string sample_pickle() {
  return pickle_of("}(" + pickled_text("epoch") + pickled_small(3) + pickled_text("state_dict") +
                   pickled_class("collections", "OrderedDict") + ")R(" + pickled_text("module.weight") +
                   pickled_tensor("0", 6, 0, 2, 3, 3, 1) + pickled_text("module.turned") +
                   pickled_tensor("0", 6, 0, 3, 2, 1, 3) + "uu");
}

inline std::string sample_values() {
  std::string values;
  for (int i = 0; i < 6; ++i) values += number(static_cast<float>(i));
  return values;
}

/// The same in the form of torch.save before PyTorch 1.6.
inline std::string legacy_file(const std::string& pickle = sample_pickle(),
                               const std::string& keys = "](" + pickled_text("0") + "e",
                               const std::string& storages = number(std::int64_t{6}) + sample_values()) {
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  return pickle_of(magic) + pickle_of("M" + number(std::uint16_t{1001})) +
         pickle_of("}" + pickled_text("little_endian") + "\x88s") + pickle + pickle_of(keys) + storages;
}

}  // namespace mixop::test
