#include "host/archive/guard.hpp"

#include <algorithm>
#include <unordered_set>

#include "host/archive/hdf5.hpp"

namespace mixop::hdf5 {
namespace {

constexpr unsigned kDeepest = 16;
constexpr std::uint64_t kMostObjects = 1'000'000;
/// Deflate cannot shrink data further than this.
constexpr std::uint64_t kBestDeflate = 1032;
/// HDF5 takes memory for a whole chunk, however little of it a dataset uses.
constexpr std::uint64_t kLargestChunk = std::uint64_t{1} << 24;

struct Walk {
  std::uint64_t file_bytes = 0;
  std::uint64_t objects = 0;
  std::unordered_set<haddr_t> seen;
  unsigned depth = 0;
  std::string path;
  std::string problem;  ///< set by the callback, which must not throw through HDF5
};

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

std::string dataset_problem(hid_t dataset, const Walk& walk) {
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
  return filters.empty() ? size_problem(dataset, properties, H5Tget_size(type), deflated, walk.file_bytes) : filters;
}

std::string attribute_problem(hid_t object, const char* name, Walk& walk) {
  if (++walk.objects > kMostObjects) return "more than " + std::to_string(kMostObjects) + " objects and attributes";
  (void)archive_path("/", name);
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  if (type < 0 || space < 0) return "cannot be read: " + last_problem();
  std::uint64_t bytes = 0;
  const bool bounded = claimed_bytes(space, H5Tget_size(type), bytes);
  if (!bounded || bytes > kLongestAttribute)
    return (bounded ? std::to_string(bytes) : "more than 2^64") + " bytes; at most " +
           std::to_string(kLongestAttribute) + " are read of an attribute";
  if (is_scale_attribute(name)) return "";
  const bool text = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  const bool known = text || H5Tequal(type, H5T_STD_I64LE) > 0 || H5Tequal(type, H5T_IEEE_F64LE) > 0;
  return known && H5Sget_simple_extent_npoints(space) == 1 ? ""
                                                           : "expected a single int64, float64 or text of fixed length";
}

herr_t visit_attribute(hid_t object, const char* name, const H5A_info_t*, void* state) {
  Walk& walk = *static_cast<Walk*>(state);
  try {
    walk.problem = attribute_problem(object, name, walk);
    if (!walk.problem.empty()) walk.path = (walk.path.empty() ? "/@" : walk.path + "@") + name;
  } catch (const std::exception& e) {
    walk.problem = e.what();
  }
  return walk.problem.empty() ? 0 : 1;
}

std::string attributes_problem(hid_t object, Walk& walk) {
  const herr_t status = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, visit_attribute, &walk);
  if (!walk.problem.empty()) return walk.problem;
  return status < 0 ? "attributes that cannot be listed: " + last_problem() : "";
}

std::string walk_group(hid_t group, Walk& walk);

std::string object_problem(hid_t parent, const char* name, Walk& walk) {
  if (++walk.objects > kMostObjects) return "more than " + std::to_string(kMostObjects) + " objects and attributes";
  const Handle object(H5Oopen(parent, name, H5P_DEFAULT), H5Oclose);
  if (object < 0) return "cannot be opened: " + last_problem();
  if (const std::string problem = attributes_problem(object, walk); !problem.empty()) return problem;
  switch (H5Iget_type(object)) {
    case H5I_DATASET:
      return dataset_problem(object, walk);
    case H5I_GROUP:
      return walk_group(object, walk);
    default:
      return "neither a group nor an array";
  }
}

std::string link_problem(hid_t group, const char* name, const H5L_info_t& info, Walk& walk) {
  if (info.type != H5L_TYPE_HARD) return "a soft or external link; only direct ones are read";
  if (!walk.seen.insert(info.u.address).second)
    return "the same object as another name; archives give each object one";
  return object_problem(group, name, walk);
}

herr_t visit_link(hid_t group, const char* name, const H5L_info_t* info, void* state) {
  Walk& walk = *static_cast<Walk*>(state);
  const std::size_t length = walk.path.size();
  try {
    walk.path = archive_path(walk.path, name);
    walk.problem = link_problem(group, name, *info, walk);
  } catch (const std::exception& e) {
    walk.problem = e.what();
  }
  if (!walk.problem.empty()) return 1;
  walk.path.resize(length);
  return 0;
}

std::string walk_group(hid_t group, Walk& walk) {
  if (++walk.depth > kDeepest) return "groups nested more than " + std::to_string(kDeepest) + " deep";
  const herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, visit_link, &walk);
  --walk.depth;
  if (!walk.problem.empty()) return walk.problem;
  return status < 0 ? "a group that cannot be listed: " + last_problem() : "";
}

}  // namespace

void check_objects(hid_t file, std::uint64_t file_bytes, const std::string& name) {
  Walk walk;
  walk.file_bytes = file_bytes;
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  H5O_info_t info{};
  std::string problem = root < 0 || H5Oget_info2(root, &info, H5O_INFO_BASIC) < 0 ? "no root group: " + last_problem()
                                                                                  : attributes_problem(root, walk);
  walk.seen.insert(info.addr);
  if (problem.empty()) problem = walk_group(root, walk);
  if (!problem.empty())
    throw Error(ErrorCode::bad_data, name + ": " + (walk.path.empty() ? "/" : walk.path) + ": " + problem);
}

}  // namespace mixop::hdf5
