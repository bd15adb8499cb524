#pragma once

#include <ATen/ATen.h>
#include <hdf5.h>

#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/json/json.hpp"
#include "tests/catch.hpp"
#include "tests/support/fixture_path.hpp"

namespace mixop::test {

/// A file of stored reference numbers, read with plain HDF5.
class Fixture {
 public:
  /// A file of MIXOP_FIXTURES by its name, or an absolute path.
  explicit Fixture(const std::filesystem::path& file) : path_(file.is_absolute() ? file : fixture_path(file.string())) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    file_ = H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file_ < 0) throw std::runtime_error(path_.string() + " cannot be opened; is MIXOP_FIXTURES right?");
  }
  ~Fixture() { H5Fclose(file_); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  bool has(const std::string& name) const {
    std::string path;
    for (std::size_t end = 0; end != std::string::npos;) {
      end = name.find('/', end + 1);
      path = name.substr(0, end);
      if (H5Lexists(file_, path.c_str(), H5P_DEFAULT) <= 0) return false;
    }
    return true;
  }

  /// A numeric data set; floats of either width come as float64, integers as int64.
  at::Tensor tensor(const std::string& name) const {
    const hid_t set = H5Dopen2(file_, name.c_str(), H5P_DEFAULT);
    if (set < 0) throw std::runtime_error(path_.string() + " lacks " + name);
    const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    std::vector<hsize_t> sizes(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    const bool real = H5Tget_class(type) == H5T_FLOAT;
    at::Tensor result =
        at::empty(std::vector<std::int64_t>(sizes.begin(), sizes.end()), real ? at::kDouble : at::kLong);
    const herr_t status =
        H5Dread(set, real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, result.data_ptr());
    H5Sclose(space), H5Tclose(type), H5Dclose(set);
    if (status < 0) throw std::runtime_error(path_.string() + ": " + name + " cannot be read");
    return result;
  }

  /// The names below a group, without those of float32 runs where the float64 run stands beside them.
  std::vector<std::string> names(const std::string& group) const {
    std::vector<std::string> found;
    H5Literate_by_name(
        file_, group.c_str(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr,
        [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
          static_cast<std::vector<std::string>*>(into)->push_back(name);
          return 0;
        },
        &found, H5P_DEFAULT);
    const std::set<std::string> all(found.begin(), found.end());
    std::erase_if(found, [&](const std::string& name) { return all.count(name + "_f64") != 0; });
    return found;
  }

  /// The JSON in the attribute `config` of an object; "/" is the file.
  JsonValue config(const std::string& object = "/") const {
    const hid_t attribute = H5Aopen_by_name(file_, object.c_str(), "config", H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) throw std::runtime_error(path_.string() + ": " + object + " has no attribute config");
    const std::string text = string_of(attribute, H5Aget_type(attribute), true);
    H5Aclose(attribute);
    return parse_json(text, path_.string(), ErrorCode::bad_data);
  }

  /// A text data set that holds a JSON list of texts.
  std::vector<std::string> list(const std::string& name) const {
    const hid_t set = H5Dopen2(file_, name.c_str(), H5P_DEFAULT);
    if (set < 0) throw std::runtime_error(path_.string() + " lacks " + name);
    const std::string text = string_of(set, H5Dget_type(set), false);
    H5Dclose(set);
    std::vector<std::string> items;
    for (const JsonValue& item : parse_json(text, path_.string(), ErrorCode::bad_data).items)
      items.push_back(item.text);
    return items;
  }

 private:
  static std::string string_of(hid_t object, hid_t type, bool is_attribute) {
    const auto read = [&](void* to) {
      return is_attribute ? H5Aread(object, type, to) : H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
    };
    std::string text;
    if (H5Tis_variable_str(type) > 0) {
      char* value = nullptr;
      if (read(&value) >= 0 && value != nullptr) text = value;
      H5free_memory(value);
    } else {
      text.resize(H5Tget_size(type));
      read(text.data());
      text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
    }
    H5Tclose(type);
    return text;
  }

  std::filesystem::path path_;
  hid_t file_;
};

/// The parity rule of the stored numbers: |a - b| <= max(1e-9 * max|b|, 1e-13), or a looser `relative`. The answer is
/// how far `actual` is beyond it: at most 1 where they agree.
inline double disagreement(const at::Tensor& actual, const at::Tensor& expected, double relative = 1e-9) {
  if (actual.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  if (expected.numel() == 0) return 0;
  const at::Tensor a = actual.detach().to(at::kDouble), b = expected.to(at::kDouble);
  const double allowed = std::max(relative * b.abs().max().item<double>(), 1e-13);
  const double off = (a - b).abs().max().item<double>();
  return std::isfinite(off) ? off / allowed : std::numeric_limits<double>::infinity();
}

}  // namespace mixop::test
