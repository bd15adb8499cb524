#include "host/search/stored_tensor.hpp"

#include <ATen/ATen.h>

#include <cstring>
#include <limits>
#include <optional>

namespace mixop {
namespace {

std::optional<ElementType> stored_type(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return ElementType::uint8;
    case at::kInt:
      return ElementType::int32;
    case at::kLong:
      return ElementType::int64;
    case at::kFloat:
      return ElementType::float32;
    case at::kDouble:
      return ElementType::float64;
    default:
      return std::nullopt;
  }
}

at::ScalarType tensor_type(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return at::kByte;
    case ElementType::int32:
      return at::kInt;
    case ElementType::int64:
      return at::kLong;
    case ElementType::float32:
      return at::kFloat;
    case ElementType::float64:
      return at::kDouble;
  }
  return at::kByte;
}

}  // namespace

bool is_storable(at::ScalarType type) { return stored_type(type).has_value(); }

void put_tensor(ArchiveBuilder& archive, const std::string& path, const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  const std::vector<std::uint64_t> shape(plain.sizes().begin(), plain.sizes().end());
  const std::optional<ElementType> type = stored_type(plain.scalar_type());
  if (!type)
    throw Error(ErrorCode::unsupported,
                path + ": archives hold no tensors of type " + at::toString(plain.scalar_type()));
  archive.array(path, *type, shape, plain.data_ptr());
}

at::Tensor get_tensor(const Archive& archive, const std::string& path) {
  const Array array = archive.array(path);
  for (const std::uint64_t size : array.shape)  // an empty array may claim any
    if (size > std::numeric_limits<std::int32_t>::max() && array.bytes.empty())
      throw Error(ErrorCode::bad_data,
                  archive.name() + ": " + path + ": " + "an empty array of the shape " + shape_text(array.shape));
  const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
  at::Tensor tensor = at::empty(shape, tensor_type(array.type));
  if (!array.bytes.empty()) std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
  return tensor;
}

}  // namespace mixop
