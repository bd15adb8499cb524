#include <hdf5_hl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "host/archive/archive.hpp"
#include "host/archive/file.hpp"
#include "host/archive/hdf5.hpp"
#include "host/archive/user_block.hpp"

namespace mixop {
namespace {

using hdf5::Handle;

/// Larger arrays are cut into chunks of about this size, so that one wrong bit costs one chunk.
constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 20;
/// Smaller arrays gain nothing from compression.
constexpr std::uint64_t kCompressFrom = 4096;
/// The core driver grows the file by this much at a time.
constexpr std::size_t kGrowth = std::size_t{4} << 20;
constexpr std::size_t kLongestText = std::size_t{1} << 30;

template <class Result>
Result made(Result result, const std::string& path, const char* step) {
  if (result < 0) throw Error(ErrorCode::failed, "archive " + path + ": " + step + " failed: " + hdf5::last_problem());
  return result;
}

void check_path(const std::string& path) {
  const bool rooted = path.size() > 1 && path.front() == '/' && path.back() != '/';
  if (!rooted || path.find("//") != std::string::npos || path.find('\0') != std::string::npos)
    throw Error(ErrorCode::failed, "archive path '" + path + "': expected /group/name");
}

bool is_text(const std::string& text) { return text.find('\0') == std::string::npos && hdf5::is_utf8(text); }

/// Creation properties without times, so that equal content gives equal bytes.
Handle plain(hid_t kind) {
  Handle list(H5Pcreate(kind), H5Pclose);
  H5Pset_obj_track_times(list, false);
  return list;
}

Handle group_properties(hid_t kind) {
  Handle list = plain(kind);
  H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  return list;
}

/// Chunks of whole rows: dimensions are cut from the first on until a chunk is small enough.
std::vector<hsize_t> chunk_shape(const std::vector<std::uint64_t>& shape, std::size_t element) {
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  std::uint64_t bytes = element;
  for (const hsize_t size : chunk) bytes *= size;
  for (hsize_t& size : chunk) {
    if (bytes <= kChunkBytes) break;
    const std::uint64_t row = bytes / size;
    size = std::max<hsize_t>(1, kChunkBytes / row);
    bytes = row * size;
  }
  return chunk;
}

/// Chunked with a checksum; scalars and empty arrays lie in the object header, which has its own.
Handle dataset_properties(const std::vector<std::uint64_t>& shape, std::size_t element, bool shuffle) {
  Handle list = plain(H5P_DATASET_CREATE);
  std::uint64_t bytes = element;
  for (const std::uint64_t size : shape) bytes *= size;
  if (shape.empty() || bytes == 0) {
    H5Pset_layout(list, H5D_COMPACT);
    return list;
  }
  const std::vector<hsize_t> chunk = chunk_shape(shape, element);
  H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data());
  H5Pset_fletcher32(list);
  if (bytes >= kCompressFrom) {
    if (shuffle) H5Pset_shuffle(list);
    H5Pset_deflate(list, 1);
  }
  return list;
}

Handle space_of(const std::vector<std::uint64_t>& shape) {
  if (shape.empty()) return Handle(H5Screate(H5S_SCALAR), H5Sclose);
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return Handle(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose);
}

void write_dataset(hid_t file, const std::string& path, hid_t type, const std::vector<std::uint64_t>& shape,
                   bool shuffle, const void* data) {
  const Handle space = space_of(shape);
  const Handle properties = dataset_properties(shape, H5Tget_size(type), shuffle);
  const Handle dataset(
      made(H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), path, "creating"),
      H5Dclose);
  if (H5Sget_simple_extent_npoints(space) > 0)
    made(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), path, "writing");
}

/// The memory that HDF5's core driver writes to. HDF5 completes a file only when it closes it (its image of an open one
/// has a wrong checksum in 1.10), so the memory is ours and outlives the file.
class FileMemory {
 public:
  FileMemory() = default;
  FileMemory(const FileMemory&) = delete;
  FileMemory& operator=(const FileMemory&) = delete;
  ~FileMemory() { std::free(start_); }

  void serve(hid_t access) {
    H5FD_file_image_callbacks_t callbacks{};
    callbacks.image_malloc = [](std::size_t size, H5FD_file_image_op_t, void* self) { return resized(self, size); };
    callbacks.image_memcpy = [](void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
      return std::memcpy(to, from, size);
    };
    callbacks.image_realloc = [](void*, std::size_t size, H5FD_file_image_op_t, void* self) {
      return resized(self, size);
    };
    callbacks.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
    callbacks.udata_copy = [](void* self) { return self; };
    callbacks.udata_free = [](void*) -> herr_t { return 0; };
    callbacks.udata = this;
    if (H5Pset_file_image_callbacks(access, &callbacks) < 0)
      throw Error(ErrorCode::failed, "archive: HDF5 takes no memory: " + hdf5::last_problem());
  }
  std::span<const std::byte> content() const { return {start_, size_}; }

 private:
  static void* resized(void* self, std::size_t size) {
    auto& memory = *static_cast<FileMemory*>(self);
    void* start = std::realloc(memory.start_, size);
    if (start == nullptr) return nullptr;
    memory.start_ = static_cast<std::byte*>(start);
    memory.size_ = size;
    return start;
  }

  std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

/// The end of the file as the superblock (version 2 or 3) has it: the driver's memory goes on to a multiple of kGrowth.
std::uint64_t file_size(std::span<const std::byte> content) {
  constexpr std::size_t kEndAt = kUserBlockSize + 28;
  std::uint64_t end = 0;
  if (content.size() >= kEndAt + sizeof end) std::memcpy(&end, content.data() + kEndAt, sizeof end);
  return end;
}

}  // namespace

struct ArchiveBuilder::State {
  FileMemory memory;
  Handle file;
  std::set<std::string> groups;
  std::set<std::string> datasets;

  void add_groups_above(const std::string& path) {
    const std::string parent = path.substr(0, path.rfind('/'));
    if (!parent.empty()) add_group(parent);
  }
  void add_group(const std::string& path) {
    if (groups.count(path) > 0) return;
    check_path(path);
    add_groups_above(path);
    const Handle properties = group_properties(H5P_GROUP_CREATE);
    Handle(made(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, properties, H5P_DEFAULT), path, "creating"), H5Gclose);
    groups.insert(path);
  }
  void add_dataset_name(const std::string& path) {
    check_path(path);
    add_groups_above(path);
    if (groups.count(path) > 0 || !datasets.insert(path).second)
      throw Error(ErrorCode::failed, "archive " + path + ": is already there");
  }
};

ArchiveBuilder::ArchiveBuilder() : state_(std::make_unique<State>()) {
  hdf5::prepare();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, kGrowth, false);
  state_->memory.serve(access);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const Handle creation = group_properties(H5P_FILE_CREATE);
  H5Pset_userblock(creation, kUserBlockSize);
  const std::string name = hdf5::memory_name(state_.get());
  state_->file = Handle(made(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation, access), "/", "creating"), H5Fclose);
}

ArchiveBuilder::ArchiveBuilder(ArchiveBuilder&&) noexcept = default;
ArchiveBuilder& ArchiveBuilder::operator=(ArchiveBuilder&&) noexcept = default;
ArchiveBuilder::~ArchiveBuilder() = default;

void ArchiveBuilder::group(const std::string& path) { state_->add_group(path); }

void ArchiveBuilder::array(const std::string& path, ElementType type, const std::vector<std::uint64_t>& shape,
                           const void* data) {
  if (shape.size() > hdf5::kMostDimensions)
    throw Error(ErrorCode::failed, "archive " + path + ": " + std::to_string(shape.size()) + " dimensions; at most " +
                                       std::to_string(hdf5::kMostDimensions));
  state_->add_dataset_name(path);
  write_dataset(state_->file, path, hdf5::stored_type(type), shape, element_size(type) > 1, data);
}

void ArchiveBuilder::texts(const std::string& path, const std::vector<std::string>& values) {
  std::size_t longest = 1;
  for (const std::string& value : values) {
    if (!is_text(value) || value.size() > kLongestText)
      throw Error(ErrorCode::failed,
                  "archive " + path + ": a text that is not UTF-8, holds a NUL or is longer than 1 GiB");
    longest = std::max(longest, value.size());
  }
  if (values.size() > kLongestText / longest)
    throw Error(ErrorCode::failed, "archive " + path + ": texts of more than 1 GiB together");
  state_->add_dataset_name(path);
  std::string padded(longest * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(padded.data() + i * longest, longest);
  write_dataset(state_->file, path, hdf5::text_type(longest), {values.size()}, false, padded.data());
}

void ArchiveBuilder::attribute(const std::string& path, const std::string& name, const Attribute& value) {
  const std::string where = path + "@" + name;
  const Handle object(made(H5Oopen(state_->file, path.c_str(), H5P_DEFAULT), where, "opening"), H5Oclose);
  const Handle scalar(H5Screate(H5S_SCALAR), H5Sclose);
  const auto put = [&](hid_t type, const void* data) {
    const Handle made_attribute(
        made(H5Acreate2(object, name.c_str(), type, scalar, H5P_DEFAULT, H5P_DEFAULT), where, "creating"), H5Aclose);
    made(H5Awrite(made_attribute, type, data), where, "writing");
  };
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return put(H5T_STD_I64LE, integer);
  if (const auto* real = std::get_if<double>(&value)) return put(H5T_IEEE_F64LE, real);
  const std::string& text = std::get<std::string>(value);
  if (!is_text(text) || text.size() > hdf5::kLongestAttribute)
    throw Error(ErrorCode::failed,
                "archive " + where + ": a text that is not UTF-8, holds a NUL or is longer than 1 MiB");
  put(hdf5::text_type(std::max<std::size_t>(1, text.size())), text.c_str());
}

void ArchiveBuilder::scale(const std::string& path, unsigned dimension, const std::string& labels_path,
                           const std::string& name) {
  const hid_t file = state_->file;
  const Handle labels(made(H5Dopen2(file, labels_path.c_str(), H5P_DEFAULT), labels_path, "opening"), H5Dclose);
  const Handle dataset(made(H5Dopen2(file, path.c_str(), H5P_DEFAULT), path, "opening"), H5Dclose);
  if (H5DSis_scale(labels) <= 0) made(H5DSset_scale(labels, name.c_str()), labels_path, "making a dimension scale");
  made(H5DSattach_scale(dataset, labels, dimension), path, "attaching the dimension scale");
  made(H5DSset_label(dataset, dimension, name.c_str()), path, "naming the dimension");
}

std::vector<std::byte> ArchiveBuilder::finish() {
  made(H5Fclose(state_->file.release()), "/", "closing");
  const auto content = state_->memory.content();
  const std::uint64_t size = file_size(content);
  if (size <= kUserBlockSize || size > content.size())
    throw Error(ErrorCode::failed,
                "archive: HDF5 wrote " + std::to_string(content.size()) + " bytes of " + std::to_string(size));
  std::vector<std::byte> image(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size));
  const auto rest = std::span(image).subspan(kUserBlockSize);
  const auto block = make_user_block(rest);
  std::copy(block.begin(), block.end(), image.begin());
  return image;
}

void ArchiveBuilder::save(const std::filesystem::path& path) { replace_file(path, finish()); }

std::string archive_path(const std::string& parent, const std::string& name) {
  const bool utf8 = hdf5::is_utf8(name);
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  const bool clean = utf8 && std::none_of(name.begin(), name.end(), control);
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos || !clean) {
    std::string shown = name;  // on a terminal, and in JSON
    std::replace_if(
        shown.begin(), shown.end(), [&](unsigned char c) { return control(c) || (!utf8 && c >= 0x80); }, '?');
    throw Error(ErrorCode::usage, "'" + shown +
                                      "' cannot be a name in an archive: it must be UTF-8, not empty, '.' or '..', nor "
                                      "hold '/' or control characters");
  }
  return (parent == "/" ? "" : parent) + "/" + name;
}

}  // namespace mixop
