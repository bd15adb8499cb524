#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/weights/tensor_type.hpp"

namespace mixop {

/// A file of weights by other programs: PyTorch's .pt (zip and legacy form) or safetensors, told apart by what is in
/// it. Opening it reads the descriptions of its tensors alone. A pickle's classes and functions never run: what it may
/// say is read as data (pickle.hpp), tensors are found in it (torch_pickle.hpp), and everything else is left alone.
///
/// Names are those of the state dictionary; the prefixes "module." (DataParallel), "_orig_mod." (torch.compile) and
/// "model." (Lightning) that all of them have are taken off.
class WeightFile {
 public:
  virtual ~WeightFile() = default;
  /// Throws bad_data that names the file, and the place in it, where it is none of these or is not sound.
  static std::unique_ptr<WeightFile> open(const std::filesystem::path& path);

  /// The file's path as it was given: what every error begins with.
  const std::string& name() const { return name_; }
  /// "PyTorch", "PyTorch (legacy)" or "safetensors".
  virtual const char* format() const = 0;
  /// In the file's order; names are unique.
  const std::vector<WeightEntry>& entries() const { return entries_; }
  /// The values of an entry, row-major. Allocates no more than the file holds of them.
  virtual std::vector<std::byte> read(std::size_t entry) const = 0;

 protected:
  WeightFile(std::string name, std::vector<WeightEntry> entries);

 private:
  std::string name_;
  std::vector<WeightEntry> entries_;
};

/// A tensor to be written: row-major values.
struct NamedValues {
  WeightEntry entry;
  std::vector<std::byte> bytes;
};

/// A PyTorch file (zip form) whose `torch.load(FILE)` is an OrderedDict of tensors, which weights_only=True reads.
std::vector<std::byte> torch_file(const std::vector<NamedValues>& tensors);
/// The same tensors as safetensors; `metadata` are texts for the header's __metadata__.
std::vector<std::byte> safetensors_file(const std::vector<NamedValues>& tensors,
                                        const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace mixop
