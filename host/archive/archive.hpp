#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mixop/error.hpp"

namespace mixop {

/// What an array holds. Stored little endian.
enum class ElementType : std::uint8_t { uint8, int32, int64, float32, float64 };

std::size_t element_size(ElementType type);
const char* element_name(ElementType type);
/// "[2, 14, 8]".
std::string shape_text(const std::vector<std::uint64_t>& shape);

template <class T>
constexpr ElementType element_type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return ElementType::uint8;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return ElementType::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return ElementType::int64;
  else if constexpr (std::is_same_v<T, float>)
    return ElementType::float32;
  else {
    static_assert(std::is_same_v<T, double>, "archives hold uint8, int32, int64, float32 and float64");
    return ElementType::float64;
  }
}

/// Scalars beside an object: seeds, versions, losses.
using Attribute = std::variant<std::int64_t, double, std::string>;

/// "PARENT/NAME" for a name that comes from outside, a parameter's for instance. Dots are fine; a name that is empty,
/// "." or "..", holds '/' or a control character or is not UTF-8 is refused, for it would land somewhere else or could
/// not be shown.
std::string archive_path(const std::string& parent, const std::string& name);

/// Collects the content of an archive in memory and writes it whole. Paths are absolute ("/weights/stem.0.weight");
/// the groups above a path come to be on the way. The same calls give the same bytes. Not for use by two threads at
/// once, and no two builders or archives either: HDF5 serves one thread.
class ArchiveBuilder {
 public:
  ArchiveBuilder();
  ArchiveBuilder(ArchiveBuilder&&) noexcept;
  ArchiveBuilder& operator=(ArchiveBuilder&&) noexcept;
  ~ArchiveBuilder();

  /// A group, for one that may stay empty. Exists already: nothing happens.
  void group(const std::string& path);
  /// A row-major array; an empty shape is a scalar. `data` holds the product of the shape's sizes and is copied.
  void array(const std::string& path, ElementType type, const std::vector<std::uint64_t>& shape, const void* data);
  template <class T>
  void array(const std::string& path, const std::vector<std::uint64_t>& shape, std::span<const T> values) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    if (count != values.size())
      throw Error(ErrorCode::failed,
                  path + ": " + std::to_string(values.size()) + " values for " + std::to_string(count) + " places");
    array(path, element_type_of<T>(), shape, values.data());
  }
  /// A list of UTF-8 texts (a single one is a list of one). No text may hold a NUL.
  void texts(const std::string& path, const std::vector<std::string>& values);
  void text(const std::string& path, const std::string& value) { texts(path, {value}); }
  /// A scalar attribute of an array, a text or a group that exists; "/" is the root. A text has 1 MiB at most.
  void attribute(const std::string& path, const std::string& name, const Attribute& value);
  /// Makes the texts at `labels_path` the dimension scale of dimension `dimension` of an array, and names the
  /// dimension.
  void scale(const std::string& path, unsigned dimension, const std::string& labels_path, const std::string& name);

  /// The archive as bytes: the user block with the digest, and the HDF5 file behind it. The builder is used up.
  std::vector<std::byte> finish();
  /// Replaces the file whole and durably; see replace_file(). Callers hold the ArchiveLock of a run's file. The builder
  /// is used up.
  void save(const std::filesystem::path& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// An array as it was stored.
struct Array {
  ElementType type = ElementType::uint8;
  std::vector<std::uint64_t> shape;
  std::vector<std::byte> bytes;

  std::uint64_t count() const { return bytes.size() / element_size(type); }
  /// The values, when they are of type T; `what` names the array in the error.
  template <class T>
  std::vector<T> values(const std::string& what) const {
    if (type != element_type_of<T>())
      throw Error(ErrorCode::bad_data,
                  what + ": expected " + element_name(element_type_of<T>()) + ", found " + element_name(type));
    std::vector<T> out(count());
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
};

/// An archive that was read whole and checked: digest first, then every object against the readers' guards. Look-ups of
/// what is not there and content that is not as asked for are bad_data errors that name file and path.
class Archive {
 public:
  /// A file that ArchiveBuilder wrote.
  static Archive open(const std::filesystem::path& path);
  Archive(Archive&&) noexcept;
  Archive& operator=(Archive&&) noexcept;
  ~Archive();

  /// The file's path as it was given: what every error begins with.
  const std::string& name() const;
  bool has(const std::string& path) const;
  bool is_group(const std::string& path) const;
  /// Names below a group, in the order in which they were added.
  std::vector<std::string> children(const std::string& path) const;
  Array array(const std::string& path) const;
  /// The values of an array of type T.
  template <class T>
  std::vector<T> values(const std::string& path) const {
    return array(path).values<T>(name() + ": " + path);
  }
  /// All texts of a list, or the one text of a list of one.
  std::vector<std::string> texts(const std::string& path) const;
  std::string text(const std::string& path) const;
  bool is_text(const std::string& path) const;
  /// Names of the scalar attributes, sorted; those of dimension scales are left out.
  std::vector<std::string> attributes(const std::string& path) const;
  bool has_attribute(const std::string& path, const std::string& name) const;
  Attribute attribute(const std::string& path, const std::string& name) const;
  std::int64_t integer(const std::string& path, const std::string& name) const;
  double real(const std::string& path, const std::string& name) const;
  std::string text(const std::string& path, const std::string& name) const;

 private:
  struct State;
  explicit Archive(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mixop
