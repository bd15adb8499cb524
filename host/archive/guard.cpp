#include "host/archive/guard.hpp"

#include <algorithm>

#include "host/archive/hdf5.hpp"

namespace mixop::hdf5 {
namespace {

/// Deflate cannot shrink data further than this.
constexpr std::uint64_t kBestDeflate = 1032;
/// HDF5 takes memory for a whole chunk, however little of it a dataset uses.
constexpr std::uint64_t kLargestChunk = std::uint64_t{1} << 24;

bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& product) {
  return !__builtin_mul_overflow(a, b, &product);
}

/// The bytes that a shape of at most H5S_MAX_RANK dimensions claims; false where they are more than 2^64.
bool claimed_bytes(hid_t space, std::size_t element, std::uint64_t& bytes) {
  hsize_t sizes[H5S_MAX_RANK] = {};
  const int rank = H5Sget_simple_extent_dims(space, sizes, nullptr);
  bytes = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : element;
  return std::all_of(sizes, sizes + std::max(rank, 0), [&](hsize_t size) { return multiply(bytes, size, bytes); });
}

std::string type_problem(hid_t type) {
  for (const ElementType known : kElementTypes)
    if (H5Tequal(type, stored_type(known)) > 0) return "";
  const auto other = [](const char* found) {
    return std::string("expected uint8, int32, int64, float32, float64 or texts of fixed length, found ") + found;
  };
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return H5Tis_variable_str(type) == 0 ? "" : other("texts of varying length");
    case H5T_INTEGER:
    case H5T_FLOAT:
      return other("numbers of another size or order of bytes");
    case H5T_COMPOUND:
      return other("compound values");
    case H5T_VLEN:
      return other("lists of varying length");
    case H5T_REFERENCE:
      return other("references");
    case H5T_OPAQUE:
      return other("opaque values");
    default:
      return other("another type");
  }
}

/// What is wrong with a dataset's filters, or nothing. Says whether gzip is among them.
std::string filter_problem(hid_t properties, bool& deflated) {
  const int count = H5Pget_nfilters(properties);
  if (count < 0) return "filters that cannot be read";
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0, values[8] = {};
    std::size_t value_count = 8;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &value_count, values, 0, nullptr, &config);
    if (filter == H5Z_FILTER_DEFLATE)
      deflated = true;
    else if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
      return "filter " + std::to_string(filter) + "; only shuffle, gzip and fletcher32 are read";
  }
  return "";
}

std::string size_problem(hid_t dataset, hid_t properties, std::size_t element, bool deflated,
                         std::uint64_t file_bytes) {
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) return "a shape that cannot be read";
  if (rank > static_cast<int>(kMostDimensions))
    return std::to_string(rank) + " dimensions; at most " + std::to_string(kMostDimensions) + " are read";
  std::uint64_t bytes = 0, most = file_bytes;
  const bool bounded = claimed_bytes(space, element, bytes);
  if (deflated) multiply(file_bytes, kBestDeflate, most);
  const std::uint64_t stored = H5Dget_storage_size(dataset);
  std::uint64_t unpacked = stored;
  if (deflated && !multiply(stored, kBestDeflate, unpacked)) unpacked = most;
  // Storage that was never written reads as a fill value: a few bytes may claim any size.
  if (!bounded || bytes > most || bytes > unpacked)
    return "claims " + (bounded ? std::to_string(bytes) : "more than 2^64") + " bytes, which " +
           std::to_string(stored) + " stored bytes of a file of " + std::to_string(file_bytes) + " cannot hold";
  if (H5Pget_layout(properties) != H5D_CHUNKED) return "";
  hsize_t sides[H5S_MAX_RANK] = {};
  std::uint64_t chunk = element;
  for (int i = 0; i < H5Pget_chunk(properties, H5S_MAX_RANK, sides); ++i)
    if (!multiply(chunk, sides[i], chunk)) return "a chunk of more than 2^64 bytes";
  if (chunk > std::max(kLargestChunk, bytes))
    return "a chunk of " + std::to_string(chunk) + " bytes; at most " + std::to_string(kLargestChunk) + " are read";
  return "";
}

}  // namespace

std::string dataset_problem(hid_t dataset, std::uint64_t file_bytes) {
  const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  const Handle type(H5Dget_type(dataset), H5Tclose);
  if (properties < 0 || type < 0) return "a header that cannot be read";
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL) return "virtual storage, which is made of other files";
  if (layout == H5D_LAYOUT_ERROR) return "a layout that cannot be read";
  if (H5Pget_external_count(properties) != 0) return "external storage, which lies in other files";
  if (const std::string problem = type_problem(type); !problem.empty()) return problem;
  bool deflated = false;
  const std::string filters = filter_problem(properties, deflated);
  return filters.empty() ? size_problem(dataset, properties, H5Tget_size(type), deflated, file_bytes) : filters;
}

std::string attribute_problem(hid_t attribute) {
  const Handle type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  if (type < 0 || space < 0) return "cannot be read: " + last_problem();
  std::uint64_t bytes = 0;
  const bool bounded = claimed_bytes(space, H5Tget_size(type), bytes);
  if (!bounded || bytes > kLongestAttribute)
    return (bounded ? std::to_string(bytes) : "more than 2^64") + " bytes; at most " +
           std::to_string(kLongestAttribute) + " are read of an attribute";
  const bool text = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  const bool known = text || H5Tequal(type, H5T_STD_I64LE) > 0 || H5Tequal(type, H5T_IEEE_F64LE) > 0;
  return known && H5Sget_simple_extent_npoints(space) == 1 ? ""
                                                           : "expected a single int64, float64 or text of fixed length";
}

}  // namespace mixop::hdf5
