#include "host/weights/weight_file.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "host/text/printable.hpp"
#include "host/weights/formats.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::size_t kBegin = 16;

bool begins_with(std::span<const std::byte> begin, std::string_view magic) {
  return begin.size() >= magic.size() && std::equal(magic.begin(), magic.end(), begin.begin(),
                                                    [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

/// Takes a prefix off that all names have; whether they had it.
bool take_off(std::string_view prefix, std::vector<WeightEntry>& entries) {
  for (const WeightEntry& entry : entries)
    if (!entry.name.starts_with(prefix) || entry.name.size() == prefix.size()) return false;
  for (WeightEntry& entry : entries) entry.name.erase(0, prefix.size());
  return !entries.empty();
}

/// What wraps a network: torch.compile, DataParallel and its kin, Lightning.
bool take_wrapper_off(std::vector<WeightEntry>& entries) {
  return take_off("_orig_mod.", entries) || take_off("module.", entries) || take_off("model.", entries);
}

}  // namespace

WeightFile::WeightFile(std::string name, std::vector<WeightEntry> entries)
    : name_(std::move(name)), entries_(std::move(entries)) {
  while (take_wrapper_off(entries_)) {
  }
  std::set<std::string_view> names;
  for (const WeightEntry& entry : entries_)
    if (!names.insert(entry.name).second)
      throw Error(ErrorCode::bad_data, name_ + ": tensor '" + excerpt(entry.name) + "' is there twice");
}

std::unique_ptr<WeightFile> WeightFile::open(const std::filesystem::path& path) {
  InputFile file(path);
  const std::vector<std::byte> begin = file.read(0, std::min<std::uint64_t>(file.size(), kBegin));
  if (begins_with(begin, "PK")) return open_torch_zip(path);
  if (is_torch_legacy(begin)) return open_torch_legacy(std::move(file));
  if (begins_with(begin, "\x89HDF"))
    throw Error(ErrorCode::bad_data, file.name() + ": is an HDF5 file; expected PyTorch's .pt or safetensors");
  if (begin.size() < sizeof(std::uint64_t))
    throw Error(ErrorCode::bad_data,
                file.name() + ": has " + std::to_string(file.size()) + " bytes; expected PyTorch's .pt or safetensors");
  return open_safetensors(std::move(file));
}

}  // namespace mixop
