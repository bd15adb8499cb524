#include "host/archive/content.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "host/archive/hdf5.hpp"

namespace mixop {
namespace {

/// How a record begins.
enum class Record : std::uint64_t { object = 1, attribute = 2, refusal = 3 };
enum class Scalar : std::uint64_t { integer = 1, real = 2, text = 3 };

constexpr std::uint64_t kLongestName = std::uint64_t{1} << 16;

/// Takes fields off the front of the bytes.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> rest) : rest_(rest) {}
  bool empty() const { return rest_.empty(); }
  std::span<const std::byte> bytes(std::uint64_t size) {
    if (size > rest_.size()) throw Error(ErrorCode::bad_data, "a field goes beyond the end");
    const auto field = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return field;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(std::uint64_t longest) {
    const std::uint64_t size = number();
    if (size > longest) throw Error(ErrorCode::bad_data, "a text is too long");
    const auto field = bytes(size);
    std::string value(reinterpret_cast<const char*>(field.data()), field.size());
    if (!hdf5::is_utf8(value)) throw Error(ErrorCode::bad_data, "a text is not UTF-8");
    return value;
  }

 private:
  std::span<const std::byte> rest_;
};

Attribute attribute_value(Fields& fields) {
  switch (static_cast<Scalar>(fields.number())) {
    case Scalar::integer:
      return std::bit_cast<std::int64_t>(fields.number());
    case Scalar::real:
      return std::bit_cast<double>(fields.number());
    case Scalar::text:
      return fields.text(hdf5::kLongestAttribute);
  }
  throw Error(ErrorCode::bad_data, "an attribute of an unknown kind");
}

std::vector<std::uint64_t> shape_of(Fields& fields) {
  const std::uint64_t rank = fields.number();
  if (rank > hdf5::kMostDimensions) throw Error(ErrorCode::bad_data, "too many dimensions");
  std::vector<std::uint64_t> shape;
  for (std::uint64_t i = 0; i < rank; ++i) shape.push_back(fields.number());
  return shape;
}

/// The bytes of `shape` elements of `element` bytes.
std::uint64_t size_of(const std::vector<std::uint64_t>& shape, std::uint64_t element) {
  std::uint64_t size = element;
  for (const std::uint64_t side : shape)
    if (__builtin_mul_overflow(size, side, &size)) throw Error(ErrorCode::bad_data, "an array of more than 2^64 bytes");
  return size;
}

void check_texts(const StoredObject& object, const std::string& path) {
  for (std::size_t at = 0; at < object.bytes.size(); at += object.text_size)
    if (!hdf5::is_utf8(padded_text(object.bytes.subspan(at, object.text_size))))
      throw Error(ErrorCode::bad_data, path + ": holds bytes that are not UTF-8");
}

StoredObject object_of(Fields& fields, const std::string& path) {
  StoredObject object;
  const std::uint64_t kind = fields.number(), type = fields.number();
  if (kind > static_cast<std::uint64_t>(StoredObject::Kind::texts) ||
      type > static_cast<std::uint64_t>(ElementType::float64))
    throw Error(ErrorCode::bad_data, "an object of an unknown kind or type");
  object.kind = static_cast<StoredObject::Kind>(kind);
  object.type = static_cast<ElementType>(type);
  object.text_size = fields.number();
  object.shape = shape_of(fields);
  if (object.kind == StoredObject::Kind::group) return object;
  const bool texts = object.kind == StoredObject::Kind::texts;
  if (texts && object.text_size == 0) throw Error(ErrorCode::bad_data, "texts without a size");
  object.bytes = fields.bytes(size_of(object.shape, texts ? object.text_size : element_size(object.type)));
  if (texts) check_texts(object, path);
  return object;
}

}  // namespace

std::string padded_text(std::span<const std::byte> field) {
  const char* start = reinterpret_cast<const char*>(field.data());
  return {start, std::find(start, start + field.size(), '\0')};
}

void ContentWriter::number(std::uint64_t value) { output_(std::as_bytes(std::span(&value, 1))); }

void ContentWriter::text(const std::string& value) {
  number(value.size());
  output_(std::as_bytes(std::span(value)));
}

void ContentWriter::object(const std::string& path, const StoredObject& object) {
  number(static_cast<std::uint64_t>(Record::object));
  text(path);
  number(static_cast<std::uint64_t>(object.kind));
  number(static_cast<std::uint64_t>(object.type));
  number(object.text_size);
  number(object.shape.size());
  for (const std::uint64_t side : object.shape) number(side);
  output_(object.bytes);
}

void ContentWriter::attribute(const std::string& name, const Attribute& value) {
  number(static_cast<std::uint64_t>(Record::attribute));
  text(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    number(static_cast<std::uint64_t>(Scalar::integer));
    number(std::bit_cast<std::uint64_t>(*integer));
  } else if (const auto* real = std::get_if<double>(&value)) {
    number(static_cast<std::uint64_t>(Scalar::real));
    number(std::bit_cast<std::uint64_t>(*real));
  } else {
    number(static_cast<std::uint64_t>(Scalar::text));
    text(std::get<std::string>(value));
  }
}

void ContentWriter::refuse(const std::string& problem) {
  number(static_cast<std::uint64_t>(Record::refusal));
  text(problem);
}

Content::Content(MappedBytes written, const std::string& name) : written_(std::move(written)) {
  try {
    read();
  } catch (const Error& e) {
    throw Error(ErrorCode::bad_data, name + ": " + e.what());
  }
}

void Content::read() {
  StoredObject* last = nullptr;
  for (Fields fields(written_.bytes()); !fields.empty();) {
    const auto record = static_cast<Record>(fields.number());
    if (record == Record::refusal) throw Error(ErrorCode::bad_data, fields.text(hdf5::kLongestAttribute));
    const std::string own = fields.text(kLongestName);
    if (record == Record::object) {
      last = &add(own, object_of(fields, own));
    } else if (record == Record::attribute && last != nullptr) {
      (void)archive_path("/", own);
      last->attributes.insert_or_assign(own, attribute_value(fields));
    } else {
      throw Error(ErrorCode::bad_data, "a record of an unknown kind");
    }
  }
  if (objects_.empty()) throw Error(ErrorCode::bad_data, "no root group");
}

StoredObject& Content::add(const std::string& path, StoredObject object) {
  if (objects_.empty() != (path == "/")) throw Error(ErrorCode::bad_data, "objects out of order");
  if (path != "/") {
    const std::size_t slash = path.rfind('/');
    const auto parent = objects_.find(slash == 0 ? "/" : path.substr(0, slash));
    if (slash == std::string::npos || parent == objects_.end() || parent->second.kind != StoredObject::Kind::group)
      throw Error(ErrorCode::bad_data, path + ": no group holds it");
    const std::string own = path.substr(slash + 1);
    (void)archive_path("/", own);
    parent->second.children.push_back(own);
  } else if (object.kind != StoredObject::Kind::group) {
    throw Error(ErrorCode::bad_data, "the root is no group");
  }
  const auto [at, added] = objects_.emplace(path, std::move(object));
  if (!added) throw Error(ErrorCode::bad_data, path + ": two objects of one name");
  return at->second;
}

const StoredObject* Content::find(const std::string& path) const {
  const auto found = objects_.find(path);
  return found == objects_.end() ? nullptr : &found->second;
}

}  // namespace mixop
