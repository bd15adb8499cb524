#include <algorithm>

#include "host/archive/archive.hpp"
#include "host/archive/file.hpp"
#include "host/archive/guard.hpp"
#include "host/archive/hdf5.hpp"
#include "host/archive/user_block.hpp"

namespace mixop {
namespace {

using hdf5::Handle;

/// HDF5 on a copy of the verified bytes: what was checked is what is read, whatever happens to the file meanwhile.
Handle open_image(std::vector<std::byte>& content, const std::string& name, const std::string& memory_name) {
  hdf5::prepare();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, std::size_t{1} << 16, false);
  if (H5Pset_file_image(access, content.data(), content.size()) < 0)
    throw Error(ErrorCode::bad_data, name + ": too large to be held in memory");
  Handle file(H5Fopen(memory_name.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  if (file < 0) throw Error(ErrorCode::bad_data, name + ": not a readable HDF5 file: " + hdf5::last_problem());
  return file;
}

}  // namespace

struct Archive::State {
  std::string name;
  Handle file;

  static std::unique_ptr<State> make(std::vector<std::byte>& content, const std::string& name) {
    auto state = std::make_unique<State>();
    state->name = name;
    state->file = open_image(content, name, hdf5::memory_name(state.get()));
    hdf5::check_objects(state->file, content.size(), name);
    return state;
  }
  [[noreturn]] void refuse(const std::string& path, const std::string& what) const {
    throw Error(ErrorCode::bad_data, name + ": " + path + ": " + what);
  }
  /// Every step of the path is looked at: HDF5 reports a missing parent as an error, not as "no".
  bool has(const std::string& path) const {
    if (path.empty() || path.front() != '/') return false;
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      if (part.size() > 1 && H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) return false;
      if (end == std::string::npos) return true;
    }
  }
  Handle object(const std::string& path) const {
    if (!has(path)) refuse(path, "is not there");
    Handle opened(H5Oopen(file, path.c_str(), H5P_DEFAULT), H5Oclose);
    if (opened < 0) refuse(path, "cannot be opened: " + hdf5::last_problem());
    return opened;
  }
  Handle dataset(const std::string& path) const {
    Handle opened = object(path);
    if (H5Iget_type(opened) != H5I_DATASET) refuse(path, "expected an array or a text, found a group");
    return opened;
  }
  Handle group(const std::string& path) const {
    Handle opened = object(path);
    if (H5Iget_type(opened) != H5I_GROUP) refuse(path, "expected a group, found an array");
    return opened;
  }
  std::vector<std::uint64_t> shape(hid_t dataset) const {
    const Handle space(H5Dget_space(dataset), H5Sclose);
    std::vector<hsize_t> sizes(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    return {sizes.begin(), sizes.end()};
  }
  /// Raw elements; the guard has bounded their number when the file was opened.
  std::vector<std::byte> read(hid_t dataset, const std::string& path, hid_t type) const {
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const auto count = static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
    std::vector<std::byte> bytes(count * H5Tget_size(type));
    if (count > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0)
      refuse(path, "cannot be read: " + hdf5::last_problem());
    return bytes;
  }
  /// A text of fixed length, without the NULs at its end.
  std::string fixed_text(const std::string& path, const char* data, std::size_t size) const {
    std::string text(data, std::find(data, data + size, '\0'));
    if (!hdf5::is_utf8(text)) refuse(path, "holds bytes that are not UTF-8");
    return text;
  }
};

Archive::Archive(std::unique_ptr<State> state) : state_(std::move(state)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;
Archive::~Archive() = default;

Archive Archive::open(const std::filesystem::path& path) {
  std::vector<std::byte> content = read_file(path);
  check_user_block(content, path.string());
  return Archive(State::make(content, path.string()));
}

const std::string& Archive::name() const { return state_->name; }

bool Archive::has(const std::string& path) const { return state_->has(path); }

bool Archive::is_group(const std::string& path) const {
  return state_->has(path) && H5Iget_type(state_->object(path)) == H5I_GROUP;
}

std::vector<std::string> Archive::children(const std::string& path) const {
  const Handle group = state_->group(path);
  const Handle properties(H5Gget_create_plist(group), H5Pclose);
  unsigned order = 0;
  H5Pget_link_creation_order(properties, &order);
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
    static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
  const H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  if (H5Literate(group, index, H5_ITER_INC, nullptr, add, &names) < 0)
    state_->refuse(path, "cannot be listed: " + hdf5::last_problem());
  return names;
}

Array Archive::array(const std::string& path) const {
  const Handle dataset = state_->dataset(path);
  const Handle type(H5Dget_type(dataset), H5Tclose);
  for (const ElementType candidate : hdf5::kElementTypes) {
    const hid_t stored = hdf5::stored_type(candidate);
    if (H5Tequal(type, stored) > 0) return {candidate, state_->shape(dataset), state_->read(dataset, path, stored)};
  }
  state_->refuse(path, "expected an array of uint8, int32, int64, float32 or float64, found another type");
}

bool Archive::is_text(const std::string& path) const {
  if (!state_->has(path) || is_group(path)) return false;
  const Handle type(H5Dget_type(state_->dataset(path)), H5Tclose);
  return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
}

std::vector<std::string> Archive::texts(const std::string& path) const {
  const Handle dataset = state_->dataset(path);
  if (!is_text(path)) state_->refuse(path, "expected texts of fixed length, found another type");
  const Handle type(H5Dget_type(dataset), H5Tclose);
  const std::size_t size = H5Tget_size(type);
  const std::vector<std::byte> bytes = state_->read(dataset, path, type);
  std::vector<std::string> values;
  for (std::size_t at = 0; at + size <= bytes.size(); at += size)
    values.push_back(state_->fixed_text(path, reinterpret_cast<const char*>(bytes.data()) + at, size));
  return values;
}

std::string Archive::text(const std::string& path) const {
  std::vector<std::string> values = texts(path);
  if (values.size() != 1) state_->refuse(path, "expected one text, found " + std::to_string(values.size()));
  return std::move(values.front());
}

std::vector<std::string> Archive::attributes(const std::string& path) const {
  const Handle object = state_->object(path);
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5A_info_t*, void* into) -> herr_t {
    if (!hdf5::is_scale_attribute(name)) static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names) < 0)
    state_->refuse(path, "its attributes cannot be listed: " + hdf5::last_problem());
  return names;
}

bool Archive::has_attribute(const std::string& path, const std::string& name) const {
  return state_->has(path) && H5Aexists(state_->object(path), name.c_str()) > 0;
}

Attribute Archive::attribute(const std::string& path, const std::string& name) const {
  const std::string where = path + "@" + name;
  if (!has_attribute(path, name)) state_->refuse(where, "is not there");
  const Handle attribute(H5Aopen(state_->object(path), name.c_str(), H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  if (attribute < 0 || H5Sget_simple_extent_npoints(space) != 1) state_->refuse(where, "expected a single value");
  const auto read = [&](hid_t memory, void* into) {
    if (H5Aread(attribute, memory, into) < 0) state_->refuse(where, "cannot be read: " + hdf5::last_problem());
  };
  std::int64_t integer = 0;
  double real = 0;
  if (H5Tequal(type, H5T_STD_I64LE) > 0) return read(type, &integer), integer;
  if (H5Tequal(type, H5T_IEEE_F64LE) > 0) return read(type, &real), real;
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || H5Tget_size(type) > hdf5::kLongestAttribute)
    state_->refuse(where, "expected int64, float64 or text of fixed length, found another type");
  std::string text(H5Tget_size(type), '\0');
  read(type, text.data());
  return state_->fixed_text(where, text.data(), text.size());
}

std::int64_t Archive::integer(const std::string& path, const std::string& name) const {
  const Attribute value = attribute(path, name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  state_->refuse(path + "@" + name, "expected int64, found another type");
}

double Archive::real(const std::string& path, const std::string& name) const {
  const Attribute value = attribute(path, name);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  state_->refuse(path + "@" + name, "expected float64, found another type");
}

std::string Archive::text(const std::string& path, const std::string& name) const {
  Attribute value = attribute(path, name);
  if (auto* text = std::get_if<std::string>(&value)) return std::move(*text);
  state_->refuse(path + "@" + name, "expected a text, found another type");
}

}  // namespace mixop
