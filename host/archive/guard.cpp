#include "host/archive/guard.hpp"

#include "host/archive/hdf5.hpp"

namespace mixop::hdf5 {
namespace {

constexpr unsigned kDeepest = 16;
constexpr std::uint64_t kMostObjects = 1'000'000;
/// Deflate cannot shrink data further than this.
constexpr std::uint64_t kBestDeflate = 1032;

struct Walk {
  std::uint64_t file_bytes = 0;
  std::uint64_t objects = 0;
  unsigned depth = 0;
  std::string path;
  std::string problem;  ///< set by the callback, which must not throw through HDF5
};

bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& product) {
  return !__builtin_mul_overflow(a, b, &product);
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

std::string size_problem(hid_t dataset, std::size_t element, bool deflated, std::uint64_t file_bytes) {
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) return "a shape that cannot be read";
  if (rank > static_cast<int>(kMostDimensions))
    return std::to_string(rank) + " dimensions; at most " + std::to_string(kMostDimensions) + " are read";
  hsize_t sizes[H5S_MAX_RANK] = {};
  H5Sget_simple_extent_dims(space, sizes, nullptr);
  std::uint64_t bytes = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : element, most = file_bytes;
  bool bounded = true;
  for (int i = 0; i < rank; ++i) bounded = bounded && multiply(bytes, sizes[i], bytes);
  if (deflated) multiply(file_bytes, kBestDeflate, most);
  const std::uint64_t stored = H5Dget_storage_size(dataset);
  std::uint64_t unpacked = stored;
  if (deflated && !multiply(stored, kBestDeflate, unpacked)) unpacked = most;
  // Storage that was never written reads as a fill value: a few bytes may claim any size.
  if (!bounded || bytes > most || bytes > unpacked)
    return "claims " + (bounded ? std::to_string(bytes) : "more than 2^64") + " bytes, which " +
           std::to_string(stored) + " stored bytes of a file of " + std::to_string(file_bytes) + " cannot hold";
  return "";
}

std::string dataset_problem(hid_t dataset, std::uint64_t file_bytes) {
  const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  const Handle type(H5Dget_type(dataset), H5Tclose);
  if (properties < 0 || type < 0) return "a header that cannot be read";
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL) return "virtual storage, which is made of other files";
  if (layout == H5D_LAYOUT_ERROR) return "a layout that cannot be read";
  if (H5Pget_external_count(properties) != 0) return "external storage, which lies in other files";
  bool deflated = false;
  const std::string filters = filter_problem(properties, deflated);
  return filters.empty() ? size_problem(dataset, H5Tget_size(type), deflated, file_bytes) : filters;
}

std::string walk_group(hid_t group, Walk& walk);

std::string object_problem(hid_t parent, const char* name, Walk& walk) {
  if (++walk.objects > kMostObjects) return "more than " + std::to_string(kMostObjects) + " objects";
  const Handle object(H5Oopen(parent, name, H5P_DEFAULT), H5Oclose);
  if (object < 0) return "cannot be opened: " + last_problem();
  switch (H5Iget_type(object)) {
    case H5I_DATASET:
      return dataset_problem(object, walk.file_bytes);
    case H5I_GROUP:
      return walk_group(object, walk);
    default:
      return "neither a group nor an array";
  }
}

herr_t visit_link(hid_t group, const char* name, const H5L_info_t* info, void* state) {
  Walk& walk = *static_cast<Walk*>(state);
  const std::size_t length = walk.path.size();
  try {
    walk.path = archive_path(walk.path, name);
    walk.problem = info->type == H5L_TYPE_HARD ? object_problem(group, name, walk)
                                               : "a soft or external link; only direct ones are read";
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
  const std::string problem = root < 0 ? "no root group: " + last_problem() : walk_group(root, walk);
  if (!problem.empty())
    throw Error(ErrorCode::bad_data, name + ": " + (walk.path.empty() ? "/" : walk.path) + ": " + problem);
}

}  // namespace mixop::hdf5
