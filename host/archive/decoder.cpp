#include "host/archive/decoder.hpp"

#include <algorithm>
#include <new>
#include <unordered_set>

#include "host/archive/guard.hpp"
#include "host/archive/hdf5.hpp"

namespace mixop::hdf5 {
namespace {

constexpr unsigned kDeepest = 16;
constexpr std::uint64_t kMostObjects = 1'000'000;

template <class Value>
Value attribute_number(hid_t attribute, hid_t type) {
  Value value = 0;
  if (H5Aread(attribute, type, &value) < 0) throw Error(ErrorCode::bad_data, "cannot be read: " + last_problem());
  return value;
}

Attribute attribute_value(hid_t attribute) {
  const Handle type(H5Aget_type(attribute), H5Tclose);
  if (H5Tequal(type, H5T_STD_I64LE) > 0) return attribute_number<std::int64_t>(attribute, type);
  if (H5Tequal(type, H5T_IEEE_F64LE) > 0) return attribute_number<double>(attribute, type);
  std::vector<std::byte> bytes(H5Tget_size(type));
  if (H5Aread(attribute, type, bytes.data()) < 0) throw Error(ErrorCode::bad_data, "cannot be read: " + last_problem());
  const std::string text = padded_text(bytes);
  if (!is_utf8(text)) throw Error(ErrorCode::bad_data, "holds bytes that are not UTF-8");
  return text;
}

/// Walks the file from its root. What HDF5 calls back must not throw through HDF5: the walk keeps the problem.
class Walk {
 public:
  Walk(std::uint64_t file_bytes, ContentWriter& writer) : file_bytes_(file_bytes), writer_(writer) {}

  /// What is wrong, or nothing.
  std::string run(hid_t file) {
    const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
    H5O_info_t info{};
    if (root < 0 || H5Oget_info2(root, &info, H5O_INFO_BASIC) < 0) return "/: no root group: " + last_problem();
    seen_.insert(info.addr);
    guarded([&] { group(root); });
    return problem_;
  }

 private:
  /// The first problem stays, with the path that the step had reached.
  template <class Step>
  herr_t guarded(Step&& step) {
    const std::string above = path_;
    try {
      step();
    } catch (const std::exception& e) {
      if (problem_.empty()) problem_ = (path_.empty() ? "/" : path_) + ": " + e.what();
    }
    path_ = above;
    return problem_.empty() ? 0 : 1;
  }
  [[noreturn]] static void refuse(const std::string& what) { throw Error(ErrorCode::bad_data, what); }
  void count() {
    if (++objects_ > kMostObjects) refuse("more than " + std::to_string(kMostObjects) + " objects and attributes");
  }

  void group(hid_t group) {
    writer_.object(path_.empty() ? "/" : path_, {});
    attributes(group);
    if (++depth_ > kDeepest) refuse("groups nested more than " + std::to_string(kDeepest) + " deep");
    const Handle properties(H5Gget_create_plist(group), H5Pclose);
    unsigned order = 0;
    H5Pget_link_creation_order(properties, &order);
    const H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    const auto visit = [](hid_t parent, const char* name, const H5L_info_t* info, void* self) {
      return static_cast<Walk*>(self)->link(parent, name, *info);
    };
    const herr_t status = H5Literate(group, index, H5_ITER_INC, nullptr, visit, this);
    if (problem_.empty() && status < 0) refuse("a group that cannot be listed: " + last_problem());
    --depth_;
  }

  herr_t link(hid_t parent, const char* name, const H5L_info_t& info) {
    return guarded([&] {
      path_ = archive_path(path_, name);
      if (info.type != H5L_TYPE_HARD) refuse("a soft or external link; only direct ones are read");
      if (!seen_.insert(info.u.address).second)
        refuse("the same object as another name; archives give each object one");
      count();
      const Handle object(H5Oopen(parent, name, H5P_DEFAULT), H5Oclose);
      if (object < 0) refuse("cannot be opened: " + last_problem());
      const H5I_type_t kind = H5Iget_type(object);
      if (kind == H5I_GROUP) return group(object);
      if (kind != H5I_DATASET) refuse("neither a group nor an array");
      dataset(object);
      attributes(object);
    });
  }

  void attributes(hid_t object) {
    const auto visit = [](hid_t parent, const char* name, const H5A_info_t*, void* self) {
      return static_cast<Walk*>(self)->attribute(parent, name);
    };
    const herr_t status = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, visit, this);
    if (problem_.empty() && status < 0) refuse("attributes that cannot be listed: " + last_problem());
  }

  herr_t attribute(hid_t object, const char* name) {
    return guarded([&] {
      (void)archive_path("/", name);
      path_ = (path_.empty() ? "/@" : path_ + "@") + name;
      count();
      if (is_scale_attribute(name)) return;
      const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
      if (attribute < 0) refuse("cannot be opened: " + last_problem());
      if (const std::string problem = attribute_problem(attribute); !problem.empty()) refuse(problem);
      writer_.attribute(name, attribute_value(attribute));
    });
  }

  void dataset(hid_t dataset) {
    if (const std::string problem = dataset_problem(dataset, file_bytes_); !problem.empty()) refuse(problem);
    const Handle type(H5Dget_type(dataset), H5Tclose), space(H5Dget_space(dataset), H5Sclose);
    StoredObject stored;
    std::vector<hsize_t> sides(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    H5Sget_simple_extent_dims(space, sides.data(), nullptr);
    stored.shape.assign(sides.begin(), sides.end());
    if (H5Sget_simple_extent_type(space) == H5S_NULL) stored.shape = {0};
    describe_type(type, stored);
    const std::vector<std::byte> bytes = elements(dataset, type, space);
    stored.bytes = bytes;
    writer_.object(path_, stored);
  }

  static void describe_type(hid_t type, StoredObject& stored) {
    if (H5Tget_class(type) == H5T_STRING) {
      stored.kind = StoredObject::Kind::texts;
      stored.text_size = H5Tget_size(type);
      return;
    }
    stored.kind = StoredObject::Kind::array;
    for (const ElementType known : kElementTypes)
      if (H5Tequal(type, stored_type(known)) > 0) stored.type = known;
  }

  std::vector<std::byte> elements(hid_t dataset, hid_t type, hid_t space) {
    const auto count = static_cast<std::uint64_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
    const std::uint64_t size = count * H5Tget_size(type);  // which dataset_problem() has bounded
    unpacked_ += size;
    if (const std::uint64_t most = most_unpacked(file_bytes_); unpacked_ > most)
      refuse("unpacked, the file has more than " + std::to_string(most >> 20) +
             " MiB up to here; at most 256 MiB are "
             "read, or 16 times the file's size where that is more");
    std::vector<std::byte> bytes(size);
    if (size > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0)
      refuse("cannot be read: " + last_problem());
    return bytes;
  }

  std::uint64_t file_bytes_;
  ContentWriter& writer_;
  std::unordered_set<haddr_t> seen_;
  std::uint64_t objects_ = 0, unpacked_ = 0;
  unsigned depth_ = 0;
  std::string path_, problem_;
};

/// HDF5 on the bytes, as a file in memory.
Handle open_image(std::vector<std::byte>& file) {
  prepare();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, std::size_t{1} << 16, false);
  if (H5Pset_file_image(access, file.data(), file.size()) < 0) throw std::bad_alloc();
  return {H5Fopen(memory_name(&file).c_str(), H5F_ACC_RDONLY, access), H5Fclose};
}

}  // namespace

std::uint64_t most_unpacked(std::uint64_t file_bytes) {
  return std::max<std::uint64_t>(std::uint64_t{256} << 20, 16 * file_bytes);
}

void decode(std::vector<std::byte>& file, ContentWriter& writer) {
  const Handle opened = open_image(file);
  const std::string problem =
      opened < 0 ? "not a readable HDF5 file: " + last_problem() : Walk(file.size(), writer).run(opened);
  if (!problem.empty()) writer.refuse(problem);
}

}  // namespace mixop::hdf5
