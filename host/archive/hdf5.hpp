#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "host/archive/archive.hpp"

// Private to host/archive: what the builder and the reader share.

namespace mixop::hdf5 {

constexpr unsigned kMostDimensions = 8;
/// Bytes of an attribute.
constexpr std::uint64_t kLongestAttribute = std::uint64_t{1} << 20;
constexpr ElementType kElementTypes[] = {ElementType::uint8, ElementType::int32, ElementType::int64,
                                         ElementType::float32, ElementType::float64};

/// Turns off HDF5's plugins and its own printing of errors; before the first other call.
void prepare();

/// A name under which HDF5 keeps a file in memory: no file has it, and no other that is open, since `owner` is alive.
std::string memory_name(const void* owner);

/// HDF5's own words for what went wrong last.
std::string last_problem();

/// Owns one HDF5 identifier.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// The little-endian type in which an element is stored, which is also the machine's.
hid_t stored_type(ElementType type);

/// A UTF-8 string type of `size` bytes, padded with NUL.
Handle text_type(std::size_t size);

/// Archives hold no other texts and names, since JSON could not repeat them.
bool is_utf8(std::string_view text);

/// The names of a dimension scale's bookkeeping, which no reader of attributes wants to see.
bool is_scale_attribute(const std::string& name);

}  // namespace mixop::hdf5
